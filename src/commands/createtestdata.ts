import { SingleBar } from 'cli-progress'
import { type Command, InvalidArgumentError } from 'commander'
import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { type Hosts, testHosts } from '../db/test-hosts.ts'
import { CommandError, asAppError } from '../errors.ts'
import { type Amounts, type AccountData, demoPasswordHash, generateAccount, slugOf, writeAccount } from '../testdata.ts'
import { accounts } from '../db/schema.ts'
import { accountId } from '../tenancy/account.ts'
import { type Tenancy, createTenancy } from '../tenancy/tenancy.ts'

export interface TestDataOptions {
  readonly accounts: number
  readonly amounts: Amounts
  readonly seed: number
  readonly append: boolean
  readonly reset: boolean
  readonly rollback: boolean
  readonly quiet: boolean
}

export function addCreateTestData (program: Command, run: (work: (config: Config, signal: AbortSignal) => Promise<void>) => Promise<void>): void {
  program.command('createtestdata')
    .description('Create accounts full of plausible data, through the app role and row-level security.\n' +
      'The same seed gives the same data, byte for byte.')
    .option('--accounts <n>', 'number of accounts to create', natural, 1)
    .option('--min-users <n>', 'users in an account, at least', natural, 1)
    .option('--max-users <n>', 'users in an account, at most', natural, 5)
    .option('--min-projects <n>', 'projects in an account, at least', natural, 1)
    .option('--max-projects <n>', 'projects in an account, at most', natural, 30)
    .option('--min-tasks <n>', 'tasks for each project, at least (then spread at random)', natural, 1)
    .option('--max-tasks <n>', 'tasks for each project, at most', natural, 10)
    .option('--min-subtasks <n>', 'subtasks for each task, at least (then spread at random)', natural, 1)
    .option('--max-subtasks <n>', 'subtasks for each task, at most', natural, 10)
    .option('--seed <n>', 'another seed, other data', natural, 0)
    .option('--append', 'add to the test accounts that are there', false)
    .option('--reset', 'replace the test accounts that are there', false)
    .option('--rollback', 'do everything, then undo it', false)
    .option('--quiet', 'print nothing but errors', false)
    .action((flags: Flags) => run(async (config, signal) => {
      const options = optionsOf(flags)
      const database = await openDatabase(config)
      try {
        await createTestData(config, database, options, signal)
      } finally {
        await database.release()
      }
    }))
}

/**
 * Creates the accounts, one after the other. Stopped half-way, it leaves whole accounts, and nothing of the one it was at.
 * @throws {CommandError} if there are test accounts and neither --append nor --reset was given
 */
export async function createTestData (config: Config, database: Database, options: TestDataOptions, signal?: AbortSignal): Promise<void> {
  const say = options.quiet ? () => {} : console.log
  const hosts = await testHosts(database.ownerUrl, config.baseDomain)
  const tenancy = createTenancy({ url: database.appUrl, poolMax: 2, signing: config.signing })
  try {
    const first = await makeRoom(hosts, tenancy, options, say, signal)
    const passwordHash = await demoPasswordHash(options.seed)
    const totals = { accounts: 0, users: 0, projects: 0, tasks: 0, subtasks: 0 }
    const bar = progress('Accounts', options.accounts, options)
    const started = performance.now()
    for (let number = first; number < first + options.accounts; number++) {
      signal?.throwIfAborted()
      const data = generateAccount(options.seed, number, options.amounts, passwordHash)
      await createAccount(hosts, tenancy, number, data, options.rollback)
      totals.accounts++
      for (const table of ['users', 'projects', 'tasks', 'subtasks'] as const) totals[table] += data[table].length
      if (options.accounts <= 10) say(`${data.account.slug} ${data.account.name}`)
      bar.tick()
    }
    bar.stop()
    report(totals, performance.now() - started, options, say)
  } catch (error) {
    throw explain(error)
  } finally {
    await tenancy.close()
    await hosts.close()
  }
}

/** What is there already? Returns the number of the first account to create. */
async function makeRoom (
  hosts: Hosts, tenancy: Tenancy, { append, reset, rollback, quiet }: TestDataOptions, say: typeof console.log, signal?: AbortSignal
): Promise<number> {
  const present = await hosts.list()
  if (present.length === 0) return 0
  const next = Math.max(...present) + 1
  if (append) return next
  if (!reset) {
    const which = present.length === 1 ? `the test account ${slugOf(next - 1)}` : `${present.length} test accounts, up to ${slugOf(next - 1)}`
    throw new CommandError(`There is ${which}, already. Add more with --append, or replace what is there with --reset.`)
  }
  if (rollback) throw new CommandError('--reset cannot be undone, so it does not go with --rollback.')
  say(`Deleting ${present.length} test accounts.`)
  const bar = progress('Deleting', present.length, { quiet, accounts: present.length })
  for (const number of present) {
    signal?.throwIfAborted()
    await tenancy.withTenant(idOf(number), tenant => tenant.delete(accounts, {}))
    await hosts.remove(number)
    bar.tick()
  }
  bar.stop()
  return 0
}

/** Its host first, then all its rows in one transaction. A host whose account never came leads nowhere. */
async function createAccount (hosts: Hosts, tenancy: Tenancy, number: number, data: AccountData, rollback: boolean): Promise<void> {
  await hosts.add(number, idOf(number))
  let kept = false
  try {
    await tenancy.withTenant(idOf(number), async tenant => {
      await writeAccount(tenant, data)
      if (rollback) throw undo
    })
    kept = true
  } catch (error) {
    if (error !== undo) throw error
  } finally {
    if (!kept) await hosts.remove(number)
  }
}

const undo = Symbol('rollback')

/** Test account 0 is account 1, and so on: the same on every database. */
const idOf = (number: number) => accountId(number + 1)

type Flags = Record<`${'min' | 'max'}${'Users' | 'Projects' | 'Tasks' | 'Subtasks'}`, number> & Omit<TestDataOptions, 'amounts'>

function optionsOf (flags: Flags): TestDataOptions {
  const range = (name: 'Users' | 'Projects' | 'Tasks' | 'Subtasks') => {
    const { [`min${name}` as const]: min, [`max${name}` as const]: max } = flags
    if (min > max) throw new CommandError(`--min-${name.toLowerCase()} (${min}) is greater than --max-${name.toLowerCase()} (${max}).`)
    return { min, max }
  }
  if (flags.append && flags.reset) throw new CommandError('--append and --reset contradict each other.')
  return { ...flags, amounts: { users: range('Users'), projects: range('Projects'), tasks: range('Tasks'), subtasks: range('Subtasks') } }
}

function natural (text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 0 to 999999999.')
  return Number(text)
}

/** A bar on a terminal, a line for each tenth elsewhere; nothing for ten or fewer, whose names are printed. */
function progress (what: string, total: number, { quiet, accounts }: Pick<TestDataOptions, 'quiet' | 'accounts'>) {
  if (quiet || accounts <= 10) return { tick () {}, stop () {} }
  if (process.stdout.isTTY) {
    const bar = new SingleBar({ format: `${what} {bar} {value}/{total}, {eta} s left`, barCompleteChar: '█', barIncompleteChar: '░', stream: process.stdout, hideCursor: true })
    bar.start(total, 0)
    return { tick: () => bar.increment(), stop: () => bar.stop() }
  }
  let done = 0
  return {
    tick () {
      done++
      if (Math.floor(done * 10 / total) > Math.floor((done - 1) * 10 / total)) console.log(`${what}: ${done}/${total}`)
    },
    stop () {}
  }
}

function report (totals: Record<string, number>, ms: number, { rollback }: TestDataOptions, say: typeof console.log): void {
  const names: Record<string, string> = { accounts: 'Accounts', users: 'Users', projects: 'Projects', tasks: 'Tasks', subtasks: 'Subtasks' }
  for (const [key, name] of Object.entries(names)) say(`${name}: ${totals[key]}`)
  const rows = Object.values(totals).reduce((sum, n) => sum + n, 0)
  say(`${rows} rows in ${(ms / 1000).toFixed(1)} s, ${Math.round(rows / ms * 1000)} a second${rollback ? '; all rolled back' : ''}`)
}

function explain (error: unknown): unknown {
  if (error instanceof CommandError || (error as Error).name === 'AbortError') return error
  const { code } = asAppError(error)
  if (code === 'conflict') return new CommandError('An account that is no test account has the id of one. Use a database of its own for test data.', { cause: error })
  if (code === 'internal') return error
  return new CommandError(asAppError(error).message, { cause: error })
}
