// The first of two doors to the database: a tenant's transaction. The other is the directory, for questions that belong to no tenant.
import type { SigningKeys } from '../config.ts'
import { type AccountId, accountId } from './account.ts'
import { contexts } from './context.ts'
import { createCursors } from './cursor.ts'
import { Tenant } from './scope.ts'
import { type PoolOptions, SlotPool } from './pool.ts'
import { type Mode, Transaction } from './transaction.ts'

export interface TenancyOptions extends PoolOptions {
  /** The app role's URL. */
  readonly url: string
  /** Connections at the most; one account gets half of them. */
  readonly poolMax: number
  /** Undefined where the tenant context is not signed. */
  readonly signing?: SigningKeys | undefined
}

export type Tenancy = ReturnType<typeof createTenancy>

export function createTenancy ({ url, poolMax, signing, ...options }: TenancyOptions) {
  const pool = new SlotPool(url, poolMax, undefined, options)
  const contextOf = contexts(signing)
  const cursors = createCursors(url)
  // Signing is for servers on which an injected SELECT may call set_config, and it may do so for the whole session: with another
  // search_path, date style or tenant in it, the next account would be refused, or served wrongly. Ten microseconds (measured).
  const tidying = signing ? '; reset all' : ''

  /** A transaction that the caller must end. It takes a slot with its first statement, not before. */
  function begin (account: AccountId, mode: Mode): { tenant: Tenant, transaction: Transaction } {
    const transaction = new Transaction(pool, contextOf, accountId(account), mode, tidying)
    return { tenant: new Tenant(transaction, cursors), transaction }
  }

  /**
   * Runs `work` in one transaction of one account: committed if it returns, rolled back if it throws.
   * @throws {TenantMissingError} before any SQL is sent, if there is no account; what `work` throws; what a commit throws
   */
  async function withTenant<T> (account: AccountId, work: (tenant: Tenant) => Promise<T>, mode: Mode = 'read write'): Promise<T> {
    const { tenant, transaction } = begin(account, mode)
    let result: T
    try {
      result = await work(tenant)
    } catch (error) {
      await transaction.rollback()
      throw error
    }
    await transaction.commit()
    return result
  }

  /** What rejects with pool_busy if a transaction of this account would be refused at once; otherwise undefined. */
  const turnedAway = (account: AccountId) => pool.turnedAway(account)

  /** @throws {AppError} database_unavailable if connections cannot be opened any more */
  const mustConnect = () => pool.mustConnect()

  /** Waits for open transactions, up to ten seconds, and ends the connections. */
  const close = () => pool.close(10_000)

  return { begin, turnedAway, withTenant, mustConnect, close }
}
