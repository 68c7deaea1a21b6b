import { LRUCache } from 'lru-cache'
import type { AccountId } from './account.ts'
import type { Tenant } from './scope.ts'
import type { Tenancy } from './tenancy.ts'

/**
 * Tidies up behind an account, when there is reason to, and not again for an hour. In a transaction of its own, after the reply, so that
 * nobody waits for it or fails by it.
 */
export function hourly (tenancy: Pick<Tenancy, 'withTenant'>, tidy: (tenant: Tenant) => Promise<unknown>): (account: AccountId, onError: (error: unknown) => void) => void {
  const tidied = new LRUCache<AccountId, true>({ max: 10_000, ttl: 3_600_000 })
  return (account, onError) => {
    if (tidied.has(account)) return
    tidied.set(account, true)
    tenancy.withTenant(account, tidy).catch(onError)
  }
}
