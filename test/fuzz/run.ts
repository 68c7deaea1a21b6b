// Random transactions of many accounts at once, each account's one after the other; and after each batch, what every account has is
// compared with its model.
import fc from 'fast-check'
import { type AccountId, accountId } from '../../src/tenancy/account.ts'
import { foreignCanaries } from '../support/canary.ts'
import type { TestDatabase } from '../support/database.ts'
import { type Transaction, transactions } from './commands.ts'
import { type Planned, type Step, plan } from './plan.ts'
import { State, newRow, kinds } from './model.ts'
import { readStates, reset, textOf } from './states.ts'
import { type Outcome, type Wall, faults } from './walls.ts'

export interface FuzzReport {
  transactions: number
  steps: number
  /** Writes to another account, or by nobody, that were refused with an error. */
  refused: number
  /** Rows of another account that were seen or changed, and writes that should have been refused. */
  leaks: number
  /** Whatever else is not as in the model. */
  differences: number
  /** Transactions that a fault ended (in a storm), and those of which it had to be looked up whether they were kept. */
  faults: number
  reconciled: number
  /** The first few leaks and differences, in words. */
  problems: string[]
  /** The smallest batch that fast-check found to fail, and the seed that repeats it. */
  counterexample?: { seed: number, transactions: readonly Transaction[] }
}

export interface FuzzOptions {
  readonly transactions: number
  readonly tenants: number
  readonly seed: number
  /** How long to look for a smaller batch that fails, too; 0: not at all. */
  readonly shrinkFor?: number
  /** How many problems are enough to end a batch. */
  readonly enough?: number
  readonly onBatch?: (report: FuzzReport) => void
}

const batch = 4_000 // transactions at most, half of it on average

export async function fuzz (database: TestDatabase, wall: Wall, options: FuzzOptions): Promise<FuzzReport> {
  const total = emptyReport()
  const most = Math.min(batch, 2 * options.transactions)
  for (let seed = options.seed; total.transactions < options.transactions && !total.counterexample; seed++) {
    let first: FuzzReport | undefined // those that follow are fast-check's search for a smaller one
    let broken: unknown // our own mistake, which fast-check would take for a counterexample
    const property = fc.asyncProperty(transactions(most), async list => {
      const report = await runBatch(database, wall, list, options).catch(error => { throw broken ??= error })
      first ??= report
      return report.problems.length === 0
    })
    const { failed, counterexample } = await fc.check(property, {
      seed, numRuns: 1, ...options.shrinkFor ? { interruptAfterTimeLimit: options.shrinkFor } : { endOnFailure: true }
    })
    if (broken) throw broken
    add(total, first!)
    if (failed) total.counterexample = { seed, transactions: counterexample?.[0] ?? [] }
    options.onBatch?.(total)
  }
  return total
}

const emptyReport = (): FuzzReport =>
  ({ transactions: 0, steps: 0, refused: 0, leaks: 0, differences: 0, faults: 0, reconciled: 0, problems: [] })

function add (total: FuzzReport, { problems, counterexample: _, ...counts }: FuzzReport): void {
  for (const [name, n] of Object.entries(counts) as [keyof typeof counts, number][]) total[name] += n
  total.problems.push(...problems)
}

interface Resident { readonly account: AccountId, state: State }

async function runBatch (
  database: TestDatabase, wall: Wall, list: readonly Transaction[], { tenants, enough = 20 }: FuzzOptions
): Promise<FuzzReport> {
  const report = emptyReport()
  const residents = Array.from({ length: tenants }, (_, i): Resident => ({ account: accountId(i + 1), state: settled(accountId(i + 1)) }))
  await reset(database, residents)
  await Promise.all(residents.map(async (resident, i) => {
    for (const transaction of list.filter(({ account }) => account % tenants === i)) {
      if (report.problems.length >= enough) return
      await runOne(database, wall, transaction, resident, residents, report)
    }
  }))
  const { states, strays } = await readStates(database)
  note(report, 'leaks', strays)
  for (const { account, state } of residents) {
    if (states.get(account) !== textOf(state.tables())) note(report, 'differences', [`account ${account} has ${states.get(account)}, but should have ${textOf(state.tables())}`])
  }
  return report
}

/** One row of each kind to begin with. */
function settled (account: AccountId): State {
  const state = new State()
  for (const kind of kinds) {
    const links = Object.fromEntries(kind.parents.map(({ column, parent }) => [column, state.of(parent)[0]!.id]))
    state.put(kind.name, newRow(kind, account, links))
  }
  return state
}

async function runOne (
  database: TestDatabase, wall: Wall, { commands, end }: Transaction, resident: Resident, residents: readonly Resident[], report: FuzzReport
): Promise<void> {
  const { account } = resident
  const asking = end === 'nobody' ? undefined : account
  const after = resident.state.copy()
  const planned: Planned[] = commands.map((command, i) => {
    const other = residents.filter(each => each !== resident)[command.other % (residents.length - 1)]!
    const last = end === 'refused' && i === commands.length - 1
    const said = last ? { ...command, ...doomed, steal: command.other % 2 === 0 } : command
    return plan(said, after, { account: asking, other: { account: other.account, state: other.state } })
  })
  report.transactions++
  try {
    const outcomes = await wall.run(asking, planned, end)
    judge(report, asking, wall, flat(planned), outcomes)
    if (end === 'commit') resident.state = after
  } catch (error) {
    const { code = String(error) } = error as { code?: string }
    if (code === 'tenant_missing' && end === 'nobody') report.refused++
    else if (code === 'commit_unknown') {
      report.reconciled++
      const found = (await readStates(database, account)).states.get(account)
      if (found === textOf(after.tables())) resident.state = after
      else if (found !== textOf(resident.state.tables())) note(report, 'differences', [`a part of a transaction was kept: ${found}`])
    } else if (faults.includes(code)) report.faults++
    else note(report, 'differences', [`${code} ended a transaction of ${account}: ${JSON.stringify(commands)}`])
  }
}

/** The last word of a transaction that a refusal ends: a row that belongs to nothing there is, or to another account. */
const doomed = { verb: 'insert', table: kinds.findIndex(({ parents }) => parents.length > 0), link: 'unused', part: undefined } as const

const flat = (planned: readonly Planned[]): Step[] => planned.flatMap(each => 'part' in each ? flat(each.part) : [each])

/** Compares what came back with the model, and looks for what belongs to another. */
function judge (report: FuzzReport, account: AccountId | undefined, wall: Wall, steps: Step[], outcomes: Outcome[]): void {
  for (const [i, { command, expected, refusal, hostile }] of steps.entries()) {
    report.steps++
    const outcome = outcomes[i]
    const wanted = refusal[wall.way]
    const is = (what: string) => [`${JSON.stringify(command)} as ${account}: ${what}`]
    if (!outcome) note(report, 'differences', is('no outcome'))
    else if ('code' in outcome) {
      if (outcome.code !== wanted) note(report, 'differences', is(`${outcome.code}, but expected ${wanted ?? expected}`))
      else if (hostile) report.refused++
    } else if (wanted) note(report, 'leaks', is(`not refused: ${outcome.value}`))
    else if (isForeign(outcome.value, account)) note(report, 'leaks', is(outcome.value))
    else if (outcome.value !== expected) note(report, hostile ? 'leaks' : 'differences', is(`${outcome.value}, but expected ${expected}`))
  }
}

const isForeign = (text: string, account: AccountId | undefined): boolean =>
  foreignCanaries(text, account).length > 0 || [...text.matchAll(/\\"accountId\\":(\d+)/g)].some(([, owner]) => Number(owner) !== account)

function note (report: FuzzReport, kind: 'leaks' | 'differences', found: string[]): void {
  report[kind] += found.length
  report.problems.push(...found.slice(0, 5).map(text => text.slice(0, 2_000)))
}
