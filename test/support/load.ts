// Reads and writes over HTTP by many at once, each reply kept in mind; for taking the database away meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Site } from './http.ts'
import type { OwnServer } from './own-server.ts'
import { posting } from './fault-routes.ts'

export interface LoadReport {
  readonly statuses: Record<string, number>
  /** Neither served nor 503, or no reply at all. */
  readonly wrong: string[]
  /** Between two good replies, or before the first or after the last (ms). */
  readonly longestGap: number
  readonly acknowledged: number
  /** Rows that were acknowledged and are not there, once and in their account. */
  readonly lost: string[]
  /** Rows that are there although their request was refused, and not by commit_unknown. */
  readonly kept: string[]
}

/** By how many milliseconds an outage may outlast the restart. */
export const room = 1_000

let serial = 0

/** Starts workers that ask until `stop`, which then compares what they were told with what is there. */
export function startLoad (site: Site, { database: { admin } }: Pick<OwnServer, 'database'>, workers: number) {
  const statuses: Record<string, number> = {}
  const wrong: string[] = []
  const good = [Date.now()]
  const acknowledged = new Map<string, number>() // the account, by the row's name
  const refused = new Set<string>()
  const state = { stopped: false }

  async function work (worker: number): Promise<void> {
    const account = worker % 2 + 1
    while (!state.stopped) {
      const name = serial % 3 ? `row ${serial} of ${account}` : undefined
      serial++
      await ask(account, name).catch(error => wrong.push(String(error)))
      await sleep(10)
    }
  }

  async function ask (account: number, name?: string): Promise<void> {
    const reply = await site.get(`tenant-${account - 1}.localhost`, '/api/projects', name === undefined ? {} : posting(name))
    const code = reply.status < 400 ? '' : ` ${reply.json().code}`
    statuses[reply.status + code] = (statuses[reply.status + code] ?? 0) + 1
    if (reply.status === (name === undefined ? 200 : 201)) {
      good.push(Date.now())
      if (name !== undefined) acknowledged.set(name, account)
    } else if (reply.status === 503) {
      if (name !== undefined && code !== ' commit_unknown') refused.add(name)
    } else wrong.push(`${reply.status} ${reply.body}`)
  }

  const working = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))

  return {
    async stop (): Promise<LoadReport> {
      state.stopped = true
      await working
      good.push(Date.now())
      const rows = await admin<{ name: string, accounts: string[] }[]>`select name, array_agg(account_id::text) as accounts from projects group by name`
      const there = new Map(rows.map(({ name, accounts }) => [name, accounts.join()]))
      return {
        statuses,
        wrong,
        longestGap: good.reduce((longest, at, i) => Math.max(longest, at - (good[i - 1] ?? at)), 0),
        acknowledged: acknowledged.size,
        lost: [...acknowledged].filter(([name, account]) => there.get(name) !== String(account)).map(([name]) => name),
        kept: [...refused].filter(name => there.has(name))
      }
    }
  }
}

export interface RestartReport extends LoadReport {
  /** From the order to stop until the server takes connections again (ms). */
  readonly restart: number
  /** What /readyz said before, while the server was down, and afterwards. */
  readonly ready: number[]
}

/** Stops and starts the server under load, which goes on for `calm` milliseconds before and after. */
export async function restartUnderLoad (
  server: OwnServer, site: Site, mode: 'fast' | 'immediate', { workers, calm }: { workers: number, calm: number }
): Promise<RestartReport> {
  const load = startLoad(site, server, workers)
  await sleep(calm)
  const ready = [await readiness(site, 200)]
  const began = Date.now()
  await server.stop(mode)
  ready.push(await readiness(site, 503))
  await server.start()
  const restart = Date.now() - began
  ready.push(await readiness(site, 200))
  await sleep(calm)
  return { ...await load.stop(), restart, ready }
}

/** What /readyz says: what is wanted of it, if it comes to that within three seconds. */
export async function readiness (site: Site, wanted: number): Promise<number> {
  for (const end = Date.now() + 3_000; ; await sleep(50)) {
    const { status } = await site.get('probe.localhost', '/readyz')
    if (status === wanted || Date.now() > end) return status
  }
}
