import { sql } from 'drizzle-orm'
import type { AccountId } from '../../src/tenancy/account.ts'
import type { Tenancy } from '../../src/tenancy/tenancy.ts'
import { raw } from './raw.ts'

/** Keeps the database busy inside an account's transaction; the helpers have no verb for it. */
export async function busy (tenancy: Tenancy, account: AccountId, seconds: number): Promise<void> {
  const { transaction } = tenancy.begin(account, 'read write')
  try {
    await raw(transaction, sql`select pg_sleep(${seconds}::float8)`)
  } catch (error) {
    await transaction.rollback()
    throw error
  }
  await transaction.commit()
}
