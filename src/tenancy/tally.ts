// Rows of one account, counted by what they have in common.
import { type SQL, desc, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { SelectResult } from 'drizzle-orm/query-builders/select.types'
import type { TenantTable } from '../db/tenant-table.ts'
import type { ColumnsOf, Join, Nullability, Query } from './query.ts'
import { Statement, db, rowsOf } from './statement.ts'
import { joined, mustBeAmount, mustBeSafe, narrowed } from './statements.ts'

/** A count, described: of the rows of `from`, with whatever is joined to them, most first. */
export interface Tally<F extends TenantTable, J extends readonly Join[], B extends ColumnsOf<F, J>, W extends ColumnsOf<F, J>>
  extends Pick<Query<F, J>, 'from' | 'joins' | 'where'> {
  /** What the rows of a group have in common; all are one group if it is empty. */
  readonly by: B
  /** Booleans: how many rows of each group have them. */
  readonly which: W
  /** How many groups at the most. */
  readonly limit?: number
}

export type Tallied<F extends TenantTable, J extends readonly Join[], B extends ColumnsOf<F, J>, W extends ColumnsOf<F, J>> =
  SelectResult<B, 'partial', Nullability<F, J>> & { total: number } & { [K in keyof W]: number }

/** Describes a count once, for many calls. */
export function tally<F extends TenantTable, B extends ColumnsOf<F, J>, W extends ColumnsOf<F, J>, const J extends readonly Join[] = []> (
  description: Tally<F, J, B, W>
): Tally<F, J, B, W> {
  return description
}

export type AnyTally = Tally<TenantTable, readonly Join[], Record<string, AnyPgColumn>, Record<string, AnyPgColumn>>

export function tallying<T> ({ from, joins = [], by, which, where, limit }: AnyTally): Statement<T[]> {
  mustBeSafe({ from, joins, columns: { ...by, ...which }, ...where && { where } })
  mustBeAmount(limit)
  const total = sql<number>`count(*)::int`
  const those = Object.entries(which).map(([name, column]) => [name, sql<number>`(count(*) filter (where ${column}))::int`] as const)
  const fields: Record<string, AnyPgColumn | SQL> = { ...by, total, ...Object.fromEntries(those) }
  const groups = Object.values(by)
  let select = joined(db.select(fields).from(from).$dynamic(), joins).where(narrowed(from, where))
  if (groups.length > 0) select = select.groupBy(...groups).orderBy(desc(total), ...groups)
  if (limit !== undefined) select = select.limit(limit)
  return new Statement(select, rowsOf<T>(fields))
}
