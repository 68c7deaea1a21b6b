// What tenancy.enter() is given: the account's id or, where set_config cannot be revoked, a signed statement of it.
import { createHmac } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { SigningKeys } from '../config.ts'
import type { AccountId } from './account.ts'

/** Makes the tenant context of an account: '<account id>' or '<account id>.<expiry in seconds>.<hmac-sha256 in hex>'. */
export type ContextOf = (account: AccountId) => string

/** A context is compared with the start of its transaction, so it need only live until the next one. */
const lifetime = 60 // seconds

export function contexts (keys: SigningKeys | undefined): ContextOf {
  if (!keys) return account => contextOf(account, keys)
  const recent = new LRUCache<AccountId, string>({ max: 10_000, ttl: lifetime * 1000 / 2 })
  return account => {
    let context = recent.get(account)
    if (!context) recent.set(account, context = contextOf(account, keys))
    return context
  }
}

/** The same for one account, once. */
export const contextOf = (account: AccountId, keys: SigningKeys | undefined): string => keys ? sign(account, keys.current) : String(account)

export function sign (account: AccountId, key: string, expiry = Math.floor(Date.now() / 1000) + lifetime): string {
  const claim = `${account}.${expiry}`
  return `${claim}.${createHmac('sha256', key).update(claim).digest('hex')}`
}
