// What the helpers are given and give back, for the type checker: rows, matches, and selects described without their tenant.
import type { InferInsertModel, InferSelectModel, Placeholder, SQL } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { TenantTable } from '../db/tenant-table.ts'

/** A row as it is read. */
export type Row<T extends TenantTable> = InferSelectModel<T>
/** A row as it is written. The account is the tenant's, always; the id is made here unless given. */
export type NewRow<T extends TenantTable> = Omit<InferInsertModel<T>, 'accountId' | 'id'> & { id?: string, accountId?: never }
/** Columns and the values they must equal (null: be null). */
export type Match<T extends TenantTable> = Partial<Omit<Row<T>, 'accountId'>> & { accountId?: never }
/** Which rows: a match, or a condition of drizzle's operators on columns of this table. */
export type Where<T extends TenantTable> = Match<T> | SQL

export interface Join<T extends TenantTable = TenantTable, Kind extends 'inner' | 'left' = 'inner' | 'left'> {
  readonly table: T
  readonly kind: Kind
  readonly on: SQL
}
export const innerJoin = <T extends TenantTable>(table: T, on: SQL): Join<T, 'inner'> => ({ table, kind: 'inner', on })
export const leftJoin = <T extends TenantTable>(table: T, on: SQL): Join<T, 'left'> => ({ table, kind: 'left', on })

type NameOf<T extends TenantTable> = T['_']['name']
export type Nullability<F extends TenantTable, J extends readonly Join[]> = { [N in NameOf<F>]: 'not-null' } &
  { [E in J[number] as NameOf<E['table']>]: E['kind'] extends 'left' ? 'nullable' : 'not-null' }
export type ColumnsOf<F extends TenantTable, J extends readonly Join[]> = Record<string, AnyPgColumn<{ tableName: NameOf<F> | NameOf<J[number]['table']> }>>

/** A select, described. The account's filter is not part of it: it is added to `from` and to every join. */
export interface Query<F extends TenantTable, J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>> {
  readonly from: F
  readonly joins?: J
  readonly columns: C
  readonly where?: SQL
  readonly orderBy?: readonly (AnyPgColumn | SQL)[]
  readonly limit?: number | Placeholder
  readonly offset?: number | Placeholder
}

/** Which page of a query. */
export interface Page {
  readonly limit: number
  /** From which row on, counted from 0; or from which place on, as `next` of the page before said. */
  readonly from?: number | string | undefined
  /** How far to count the rows from the first of this page on; one further than the page, unless given. */
  readonly ahead?: number
}

export interface PageOf<Rows> {
  readonly rows: Rows
  /** How many rows there are from the first of these on, counted no further than was asked. */
  readonly ahead: number
  /** Where the next page begins; undefined if this is the last one. */
  readonly next: string | undefined
}

export type AnyQuery = Query<TenantTable, readonly Join[], ColumnsOf<TenantTable, readonly Join[]>>

/** Describes a select once, for many calls: a constant is built and prepared once for each connection. */
export function query<F extends TenantTable, const J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>> (
  description: Query<F, J, C>
): Query<F, J, C> {
  return description
}
