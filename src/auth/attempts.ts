// Attempts with a password (to sign in, or to change it) count against the next ones, for a quarter of an hour: those with one e-mail
// address, and those from one network.
// Each is written down, and committed, before it is counted: of many at once, on whatever process, each sees all that came before it.
import { desc, eq, and, gt, lt, placeholder } from 'drizzle-orm'
import ipaddr from 'ipaddr.js'
import { signInAttempts } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { hourly } from '../tenancy/hourly.ts'
import { query } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'

const period = 15 * 60_000 // ms
const most = { email: 10, address: 30 }

const recent = (by: 'email' | 'address') => query({
  from: signInAttempts,
  columns: { at: signInAttempts.at },
  where: and(eq(signInAttempts[by], placeholder(by)), gt(signInAttempts.at, placeholder('since'))),
  orderBy: [desc(signInAttempts.at)],
  limit: most[by] + 1
})
const recently = { email: recent('email'), address: recent('address') }

/** Who tries: a request can. */
export interface Trying {
  readonly ip: string
  withTenant<T> (work: (tenant: Tenant) => Promise<T>, mode?: 'read only'): Promise<T>
}

/**
 * Counts an attempt, and looks up in passing what it takes to go on. What is refused here does not count: whoever keeps trying is let in
 * again as soon as the others.
 * @throws {AppError} too_many_attempts
 */
export async function countAttempt<T> (request: Trying, email: string, lookUp: (tenant: Tenant) => Promise<T>): Promise<T> {
  const address = networkOf(request.ip)
  await request.withTenant(async tenant => {
    await mustBeFew(tenant, { email, address }, 1)
    await tenant.insert(signInAttempts, { email, address, at: new Date() })
  })
  return request.withTenant(async tenant => {
    const [found] = await Promise.all([lookUp(tenant), mustBeFew(tenant, { email, address }, 0)])
    return found
  }, 'read only')
}

/** @param more attempts that are about to be made */
async function mustBeFew (tenant: Tenant, who: Record<'email' | 'address', string>, more: number): Promise<void> {
  const now = Date.now()
  const values = { ...who, since: new Date(now - period).toISOString() }
  const free = await Promise.all((['email', 'address'] as const).map(async by => {
    const attempts = await tenant.select(recently[by], values)
    const inTheWay = attempts[most[by] - more]
    return inTheWay ? inTheWay.at.getTime() + period : now
  }))
  const wait = Math.max(...free) - now
  if (wait > 0) throw new AppError('too_many_attempts', { headers: { 'retry-after': String(Math.ceil(wait / 1000)) } })
}

/** Of IPv6, the /64 that one household or one server has all of. */
export function networkOf (address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (!('parts' in parsed)) return parsed.toString()
  return `${new ipaddr.IPv6([...parsed.parts.slice(0, 4), 0, 0, 0, 0])}/64`
}

/** Forgets the attempts of somebody who has shown who they are. */
export const forgetAttempts = (tenant: Tenant, email: string): Promise<number> => tenant.delete(signInAttempts, { email })

/** Removes attempts that do not count any more. */
export const oldAttempts = () => hourly(tenant => tenant.delete(signInAttempts, lt(signInAttempts.at, new Date(Date.now() - period))))
