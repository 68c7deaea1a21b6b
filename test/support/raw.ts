import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Rows } from '../../src/tenancy/slot.ts'
import type { Transaction } from '../../src/tenancy/transaction.ts'

/** Asks what no helper would make, as the helpers ask theirs. */
export function raw (transaction: Transaction, statement: SQL): Promise<Rows> {
  const { sql, params } = new PgDialect().sqlToQuery(statement)
  return transaction.ask(transaction.whole, sql, params, 'objects')
}
