// A kill-storm: workers of many accounts write pairs and read them back while backends are killed under them.
import { setTimeout as sleep } from 'node:timers/promises'
import { projects } from '../../src/db/schema.ts'
import { type AccountId, accountId } from '../../src/tenancy/account.ts'
import type { Tenancy } from '../../src/tenancy/tenancy.ts'
import type { TestDatabase } from './database.ts'

export interface StormReport {
  ok: number
  failed: Record<string, number>
  killed: number
  /** Rows of another account that a transaction was shown. */
  foreign: number
  /** Transactions of which a part was kept. */
  half: number
  /** Transactions that were said to be kept, and were not; or said to be undone, and were kept. */
  lies: number
  /** Calls that took longer than the longest deadline. */
  hung: number
}

export interface StormOptions { readonly seconds: number, readonly workers: number, readonly accounts: number, readonly kill?: Killing | undefined }

/** How often backends are killed (ms), and with which probability each. */
export interface Killing { readonly every: number, readonly chance: number }

/** Kills backends of the application until it is told to stop; resolves to how many it were. */
export async function killBackends ({ admin, name }: TestDatabase, { every, chance }: Killing, stopped: () => boolean): Promise<number> {
  let killed = 0
  for (;;) {
    await sleep(every)
    if (stopped()) return killed
    killed += (await admin`
      select pg_terminate_backend(pid) from pg_stat_activity
       where datname = ${name} and application_name = 'rowhouse' and random() < ${chance}`).count
  }
}

/** @param tenancy whichever wall is to be tested: under the app role, or under one that row-level security does not bind */
export async function storm (database: TestDatabase, tenancy: Tenancy, { seconds, workers, accounts, kill }: StormOptions): Promise<StormReport> {
  const { admin } = database
  const ids = Array.from({ length: accounts }, (_, i) => accountId(i + 1))
  await admin`insert into accounts (account_id, slug, name) select n, 'a' || n, 'Account ' || n from generate_series(1, ${accounts}) n`
  const report: StormReport = { ok: 0, failed: {}, killed: 0, foreign: 0, half: 0, lies: 0, hung: 0 }
  const kept = new Set<string>()
  const undone = new Set<string>()
  const end = Date.now() + seconds * 1000
  let serial = 0

  async function work (): Promise<void> {
    while (Date.now() < end) {
      const account = ids[Math.floor(Math.random() * ids.length)]!
      const name = `pair ${++serial} of ${account}`
      const started = Date.now()
      try {
        await pair(account, name)
        kept.add(name)
        report.ok++
      } catch (error) {
        const { code = String(error) } = error as { code?: string }
        report.failed[code] = (report.failed[code] ?? 0) + 1
        if (code !== 'commit_unknown') undone.add(name)
      }
      if (Date.now() - started > 10_000) report.hung++
    }
  }

  /** Writes two rows in one transaction, and looks at what it can see before, between and after. */
  function pair (account: AccountId, name: string): Promise<void> {
    return tenancy.withTenant(account, async tenant => {
      const look = async () => {
        for (const row of await tenant.select({ from: projects, columns: { name: projects.name, account: projects.accountId }, limit: 20 })) {
          if (row.account !== account || !row.name.endsWith(` of ${account}`)) report.foreign++
        }
      }
      await look()
      await tenant.insert(projects, { name })
      await Promise.all([look(), look()])
      await tenant.insert(projects, { name })
    })
  }

  const workersDone = Promise.all(Array.from({ length: workers }, work))
  const killing = kill && killBackends(database, kill, () => Date.now() >= end).then(killed => { report.killed = killed })
  const allDone = Promise.all([workersDone, killing])
  if (await Promise.race([allDone.then(() => 'done'), sleep(seconds * 1000 + 20_000, 'hung', { ref: false })]) === 'hung') report.hung++

  for (const { name, n } of await admin`select name, count(*)::int as n, count(distinct account_id)::int as accounts from projects group by name`) {
    if (n !== 2) report.half++
    if (undone.has(name)) report.lies++
    kept.delete(name)
  }
  report.lies += kept.size
  return report
}
