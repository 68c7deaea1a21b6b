// Creates test accounts, the way every account's data comes in: through the app role and row-level security.
import type { Config } from '../config.ts'
import { mustBeSafe } from '../doctor/audit.ts'
import type { Database } from '../db/database.ts'
import { accounts } from '../db/schema.ts'
import { type Hosts, testHosts } from '../db/test-hosts.ts'
import { CommandError, asAppError } from '../errors.ts'
import { accountId } from '../tenancy/account.ts'
import { createDirectory } from '../tenancy/directory.ts'
import { type Tenancy, createTenancy } from '../tenancy/tenancy.ts'
import type { Amounts } from './amounts.ts'
import { type AccountData, demoPasswordHash, generateAccount, slugOf, writeAccount } from './generate.ts'
import { progress } from './progress.ts'

export interface TestDataOptions {
  readonly accounts: number
  readonly amounts: Amounts
  readonly seed: number
  readonly append: boolean
  readonly reset: boolean
  readonly rollback: boolean
  readonly quiet: boolean
}

/**
 * How many accounts are on their way at a time: each is put together here and then inserted by a connection of its own, which takes
 * PostgreSQL twice as long. With three, two cores are busy all the while.
 */
const lanes = 3

/**
 * Creates the accounts. Stopped half-way, it leaves whole accounts without a gap between them.
 * @throws {CommandError} if there are test accounts and neither --append nor --reset was given
 */
export async function createTestData (config: Config, database: Database, options: TestDataOptions, signal?: AbortSignal): Promise<void> {
  const say = options.quiet ? () => {} : console.log
  const { signing, preparedStatements } = config
  const tenancy = createTenancy({ url: database.appUrl, poolMax: lanes, signing, preparedStatements })
  const directory = createDirectory(database.appUrl, { preparedStatements })
  let hosts: Hosts | undefined
  try {
    await mustBeSafe(directory, config, database.appUrl)
    hosts = await testHosts(database.ownerUrl, config.baseDomain)
    const first = await makeRoom(hosts, tenancy, options, say, signal)
    const passwordHash = await demoPasswordHash(options.seed)
    const totals = { accounts: 0, users: 0, projects: 0, tasks: 0, subtasks: 0 }
    const names: string[] = []
    const bar = progress('Accounts', options.accounts, options)
    const started = performance.now()
    await inLanes(Array.from({ length: options.accounts }, (_, i) => first + i), signal, async number => {
      const data = generateAccount(options.seed, number, options.amounts, passwordHash)
      await hosts!.add(number, idOf(number))
      await createAccount(hosts!, tenancy, number, data, options.rollback)
      totals.accounts++
      for (const table of ['users', 'projects', 'tasks', 'subtasks'] as const) totals[table] += data[table].length
      if (options.accounts <= 10) names[number - first] = `${data.account.slug} ${data.account.name}`
      bar.tick()
    })
    bar.stop()
    for (const name of names) say(name)
    report(totals, performance.now() - started, options, say)
  } catch (error) {
    throw explain(error)
  } finally {
    await tenancy.close()
    await directory.close()
    await hosts?.close()
  }
}

/** One after the other in each lane. Whatever ends one, the others finish what they are at, and begin nothing more. */
async function inLanes (numbers: readonly number[], signal: AbortSignal | undefined, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    try {
      while (next < numbers.length) {
        signal?.throwIfAborted()
        await work(numbers[next++]!)
      }
    } finally {
      next = numbers.length
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane))
  const failed = ends.find(end => end.status === 'rejected')
  if (failed) throw failed.reason
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
    const which = present.length === 1 ? `is a test account (${slugOf(next - 1)})` : `are ${present.length} test accounts (up to ${slugOf(next - 1)})`
    throw new CommandError(`There ${which} already. Add more with --append, or replace what is there with --reset.`)
  }
  if (rollback) throw new CommandError('--reset cannot be undone, so it does not go with --rollback.')
  say(`Deleting ${present.length} test accounts.`)
  const bar = progress('Deleting', present.length, { quiet })
  await inLanes(present, signal, async number => {
    await tenancy.withTenant(idOf(number), tenant => tenant.delete(accounts, {}))
    await hosts.remove(number)
    bar.tick()
  })
  bar.stop()
  return 0
}

/** All its rows in one transaction. Its host is there already: one whose account never came leads nowhere. */
async function createAccount (hosts: Hosts, tenancy: Tenancy, number: number, data: AccountData, rollback: boolean): Promise<void> {
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
export const idOf = (number: number) => accountId(number + 1)

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
