// What the parts of the bench share: a median, a row of the result, and rounds in alternation.

/** A row of the result. */
export interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** Undefined where the figure is only to be known. */
  readonly wanted?: { readonly atLeast: number } | { readonly atMost: number }
  /** What it was taken from. */
  readonly from: string
}

export const reached = ({ value, wanted }: Figure): boolean => !wanted || ('atLeast' in wanted ? value >= wanted.atLeast : value <= wanted.atMost)

export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** "median (lowest to highest)" */
export function spread (values: readonly number[], digits = 0): string {
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`
}

/**
 * Measures each in turn, in as many rounds, so that what the machine does meanwhile is done to all; the order turns round with each.
 * @returns for each, what was measured in each round
 */
export async function alternate<K, T> (rounds: number, each: readonly K[], measure: (what: K) => Promise<T>): Promise<Map<K, T[]>> {
  const measured = new Map(each.map(what => [what, [] as T[]]))
  for (let round = 0; round < rounds; round++) {
    for (const what of round % 2 ? each.toReversed() : each) measured.get(what)!.push(await measure(what))
  }
  return measured
}

/** The median, over the rounds, of one's figure divided by the other's of the same round. */
export function ratio<T> (ones: readonly T[], others: readonly T[], figure: (measured: T) => number): number {
  return median(ones.map((one, i) => figure(one) / figure(others[i]!)))
}

export const warmUp = 40 // seconds: from the 25th to the 35th V8 still optimises some eighty functions of the larger programs (measured)

export interface Options {
  readonly rounds: number
  /** Of load, each time. */
  readonly seconds: number
  readonly accounts: number
  readonly say: (text: string) => void
}

/** tenant-0 and on */
export const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
