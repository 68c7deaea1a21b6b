import { sql } from 'drizzle-orm'
import type { AccountId } from '../../src/tenancy/account.ts'
import type { Tenancy } from '../../src/tenancy/tenancy.ts'

/** Keeps the database busy inside an account's transaction; the helpers have no verb for it. */
export async function busy (tenancy: Tenancy, account: AccountId, seconds: number): Promise<void> {
  const { transaction } = tenancy.begin(account, 'read write')
  try {
    await transaction.ask(transaction.whole, slot => slot.prepare({}, db => db.execute(sql`select pg_sleep(${seconds}::float8)`) as never).execute({}))
  } catch (error) {
    await transaction.rollback()
    throw error
  }
  await transaction.commit()
}
