// How many requests a session and an account may make in a minute, over all processes. Each process counts by itself, and nobody waits for
// that. Whoever has used up a tenth of what they may is busy: of them the processes tell each other, about once a second, by a row in the
// database. So a limit is met to within a second's requests, and those of whoever is not busy cost nothing.
import { inArray, lt } from 'drizzle-orm'
import { rateCounts } from '../db/schema.ts'
import { AppError, asAppError } from '../errors.ts'
import type { AccountId } from '../tenancy/account.ts'
import { hourly } from '../tenancy/hourly.ts'
import type { Tenant } from '../tenancy/scope.ts'
import type { Tenancy } from '../tenancy/tenancy.ts'

/** Requests a minute; 0: as many as they like. */
export interface RateLimits { readonly session: number, readonly account: number }

interface Count {
  readonly account: AccountId
  readonly key: string
  /** Made here, in this minute. */
  own: number
  /** How many of them are in the row. */
  told: number
  /** What the row says: the other processes', too. */
  row: number
}

export type Rates = ReturnType<typeof createRates>

const minuteLength = 60_000
const every = 1_000 // ms
const busyFrom = 0.1

export function createRates (tenancy: Pick<Tenancy, 'withTenant'>, limits: RateLimits, onError: (error: unknown) => void) {
  const sessions = new Map<string, Count>()
  const accounts = new Map<AccountId, Count>()
  const busy = new Set<Count>()
  const sweep = hourly(tenant => tenant.delete(rateCounts, lt(rateCounts.expiresAt, new Date())))
  let minute = 0
  let timer: NodeJS.Timeout | undefined

  function turn (): void {
    const now = Math.floor(Date.now() / minuteLength)
    if (now === minute) return
    minute = now
    for (const all of [sessions, accounts, busy]) all.clear()
  }

  /** @param session any text that tells it from others @throws {AppError} too_many_requests */
  function mustBeFew (account: AccountId, session: string): void {
    turn()
    refuse('session', sessions.get(session))
    refuse('account', accounts.get(account))
  }

  function refuse (whose: keyof RateLimits, count: Count | undefined): void {
    const limit = limits[whose]
    if (!count || limit === 0 || total(count) < limit) return
    const seconds = Math.ceil(minuteLength / 1000 - Date.now() % minuteLength / 1000)
    throw new AppError('too_many_requests', {
      headers: { 'retry-after': String(seconds), 'ratelimit-policy': `"${whose}";q=${limit};w=60`, ratelimit: `"${whose}";r=0;t=${seconds}` }
    })
  }

  /** Counts a request of somebody who may make it. Others must not use up what an account may. */
  function count (account: AccountId, session: string): void {
    turn()
    if (limits.session > 0) add(sessions, session, limits.session, account, session)
    if (limits.account > 0) add(accounts, account, limits.account, account)
  }

  function add<K> (counts: Map<K, Count>, index: K, limit: number, account: AccountId, session = ''): void {
    let count = counts.get(index)
    if (!count) counts.set(index, count = { account, key: `${minute} ${session.slice(0, 32)}`, own: 0, told: 0, row: 0 })
    if (++count.own < limit * busyFrom || busy.has(count)) return
    busy.add(count)
    timer ??= setTimeout(tell, every).unref()
  }

  async function tell (): Promise<void> {
    turn()
    const busyAccounts = [...new Set([...busy].map(({ account }) => account))]
    await Promise.all(busyAccounts.map(account => tellOf(account, [...busy].filter(count => count.account === account))))
    timer = busy.size > 0 ? setTimeout(tell, every).unref() : undefined
  }

  /** Should it fail, it is tried again in a second. */
  async function tellOf (account: AccountId, counts: Count[]): Promise<void> {
    try {
      const written = await tenancy.withTenant(account, tenant => write(tenant, counts))
      for (const [count, { told, row }] of written) Object.assign(count, { told, row })
      sweep(account, work => tenancy.withTenant(account, work), onError)
    } catch (error) {
      if (asAppError(error).code !== 'conflict') onError(error) // another process has made the same row just now
    }
  }

  const close = () => clearTimeout(timer)

  return { mustBeFew, count, close }
}

const total = ({ own, told, row }: Count) => row + own - told

async function write (tenant: Tenant, counts: Count[]): Promise<[Count, Pick<Count, 'told' | 'row'>][]> {
  const rows = new Map((await tenant.lock(rateCounts, inArray(rateCounts.key, counts.map(({ key }) => key)))).map(row => [row.key, row]))
  return Promise.all(counts.map(async count => {
    const { key, own, told } = count
    const row = (rows.get(key)?.count ?? 0) + own - told
    if (!rows.has(key)) await tenant.insert(rateCounts, { key, count: row, expiresAt: new Date(Date.now() + 2 * minuteLength) })
    else if (own > told) await tenant.update(rateCounts, { key }, { count: row })
    return [count, { told: own, row }]
  }))
}
