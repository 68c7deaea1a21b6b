import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Rows, Send } from '../../src/tenancy/slot.ts'

/** A statement that no helper would make, sent as the helpers send theirs. */
export const raw = (statement: SQL) => (send: Send): Promise<Rows> => {
  const { sql, params } = new PgDialect().sqlToQuery(statement)
  return send(sql, params, 'objects')
}
