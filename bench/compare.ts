// The contenders, side by side: the same listing from the same rows, hosts drawn at random over all accounts.
import { readFile } from 'node:fs/promises'
import { type Contender, contenders, json } from './contenders.ts'
import { type Answered, load } from './load.ts'
import { type Figure, type Options, alternate, median, numbers, ratio, spread, warmUp } from './measure.ts'
import { type Program, bodyOf, cpuOf, memoryOf } from './program.ts'
import type { Scene } from './scene.ts'

export interface Compared {
  readonly name: string
  readonly what: string
  readonly rates: readonly number[]
  readonly p50: number
  readonly p99: number
  /** Milliseconds of processor time for each request: its own, and the database server's; undefined where there is no /proc. */
  readonly cpu: { readonly node: number | undefined, readonly postgres: number | undefined }
  readonly megabytes: number | undefined
}

const connections = 20
const starts = 2 // of each: of two copies of one program V8 settles one in a habit that takes a quarter more of its time (measured)
// Short turns, and many: of two copies of one program, a second each in turn, single seconds differ by a sixth and sums of sixteen by a fortieth,
// while long turns measure what the machine did meanwhile (measured). And nobody waits so long that it has to warm up again.
const turnsARound = 5
const ofTheSeconds = 0.5

export async function compare (scene: Scene, options: Options): Promise<{ compared: Compared[], figures: Figure[] }> {
  const measured = new Map<Contender, Measured[]>(contenders.map(contender => [contender, []]))
  for (let start = 1; start <= starts; start++) {
    const upTo = (start: number) => Math.round(options.rounds * turnsARound * start / starts)
    const turns = { ...options, rounds: upTo(start) - upTo(start - 1), seconds: options.seconds * ofTheSeconds }
    for (const [contender, its] of await sideBySide(scene, turns)) measured.get(contender)!.push(...its)
  }
  const of = (name: string) => measured.get(contenders.find(each => each.name === name)!)!
  const rate = ({ rate }: Answered) => rate
  const against = (one: string, other: string, wanted: number): Figure => ({
    what: `${one} against ${other}`,
    value: ratio(of(one), of(other), rate),
    unit: 'x',
    wanted: { atLeast: wanted },
    from: `${spread(of(one).map(rate))} and ${spread(of(other).map(rate))} requests/s`
  })
  return {
    compared: [...measured].map(([{ name, what }, turns]) => ({
      name,
      what,
      rates: turns.map(rate),
      p50: median(turns.map(({ p50 }) => p50)),
      p99: median(turns.map(({ p99 }) => p99)),
      cpu: { node: medianOf(turns.map(({ node }) => node)), postgres: medianOf(turns.map(({ database }) => database)) },
      megabytes: medianOf(turns.map(({ megabytes }) => megabytes))
    })),
    figures: [
      against('rowhouse', 'documented', 2.5), against('rowhouse', 'limit', 0.9), against('rowhouse', 'no walls', 0.6),
      against('rowhouse signed', 'rowhouse', 0.85), against('rowhouse page', 'rowhouse', 0.9)
    ]
  }
}

/** What came of one turn: the answers, and what each cost. */
interface Measured extends Answered {
  /** Milliseconds of processor time for each request. */
  readonly node: number | undefined
  readonly database: number | undefined
  readonly megabytes: number | undefined
}

/** Starts the contenders, warms them up, and measures them in turn. */
async function sideBySide (scene: Scene, { rounds, seconds, accounts, say }: Options): Promise<Map<Contender, Measured[]>> {
  const programs = new Map<string, Program>()
  try {
    for (const contender of contenders) {
      if (!programs.has(contender.program)) programs.set(contender.program, await contender.start(scene))
    }
    const programOf = ({ program }: Contender) => programs.get(program)!
    await mustAgree(programOf)
    const postgres = await postmaster(scene)
    const run = (contender: Contender, time = seconds) =>
      load({ port: programOf(contender).port, path: contender.path, accounts: numbers(accounts), connections, seconds: time })
    for (const contender of contenders) {
      say(`Warming up: ${contender.name}`)
      await run(contender, warmUp)
    }
    say(`${rounds} turns of ${seconds} s each`)
    return await alternate(rounds, contenders, async contender => {
      const { pid } = programOf(contender)
      const used = async () => [await cpuOf(pid), postgres && await cpuOf(postgres)]
      const before = await used()
      const answered = await run(contender)
      mustBeGood(contender.name, answered)
      const [node, database] = (await used()).map((after, i) => after === undefined ? undefined : (after - before[i]!) / answered.rate / seconds)
      return { ...answered, node, database, megabytes: (await memoryOf(pid))?.most }
    })
  } finally {
    for (const program of programs.values()) await program.stop()
  }
}

const medianOf = (values: (number | undefined)[]) => values.includes(undefined) ? undefined : median(values as number[])

function mustBeGood (name: string, { statuses }: Answered): void {
  if (Object.keys(statuses).join() !== '200') throw new Error(`${name} did not answer well: ${JSON.stringify(statuses)}`)
}

/** Speed counts only where the answers are right: each contender's first page of some accounts is that of the first of them. */
async function mustAgree (programOf: (contender: Contender) => Program): Promise<void> {
  for (const account of [0, 1, 7, 100, 375]) {
    const pages = new Map<string, string>()
    for (const contender of contenders) {
      const body = await bodyOf(programOf(contender).port, contender.path, `tenant-${account}.localhost`)
      const ids = contender.path === json
        ? JSON.parse(body).subtasks.map((row: object) => Object.values(row).join(' | '))
        : [...body.matchAll(/<code title="([0-9a-f-]{36})">/g)].map(([, id]) => id)
      if (ids.length === 0) throw new Error(`${contender.name} shows tenant-${account} an empty page.`)
      pages.set(contender.name, contender.path === json ? ids.join('\n') : '')
      const reference = [...pages.values()][0]!
      const agrees = contender.path === json ? ids.join('\n') === reference : ids.every((id: string) => reference.includes(id))
      if (!agrees) throw new Error(`${contender.name} shows tenant-${account} other rows than ${contenders[0]!.name}.`)
    }
  }
}

/** The process of the server that all its backends descend from, if it runs on this machine. */
async function postmaster ({ admin }: Scene): Promise<number | undefined> {
  const [row] = await admin`select pg_backend_pid() as pid`
  const stat = await readFile(`/proc/${row!.pid}/stat`, 'utf8').catch(() => '')
  return stat.includes('postgres') ? Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) : undefined
}
