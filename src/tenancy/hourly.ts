import { LRUCache } from 'lru-cache'
import type { AccountId } from './account.ts'
import type { Tenant } from './scope.ts'

type Tidy = (tenant: Tenant) => Promise<unknown>

/**
 * Makes what tidies up behind an account, when there is reason to, and not again for an hour. In a transaction of its own, which nobody
 * waits for or fails by.
 */
export function hourly (tidy: Tidy): (account: AccountId, withTenant: (work: Tidy) => Promise<unknown>, onError: (error: unknown) => void) => void {
  const tidied = new LRUCache<AccountId, true>({ max: 10_000, ttl: 3_600_000 })
  return (account, withTenant, onError) => {
    if (tidied.has(account)) return
    tidied.set(account, true)
    withTenant(tidy).catch(onError)
  }
}
