// What the helpers are given and give back, for the type checker: rows, matches, and selects described without their tenant.
import { type InferInsertModel, type InferSelectModel, type Placeholder, type SQL, sql } from 'drizzle-orm'
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

/** A column, or asc() or desc() of one. */
export type Order = AnyPgColumn | SQL

/** A select, described. The account's filter is not part of it: it is added to `from` and to every join. */
export interface Query<F extends TenantTable, J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>> {
  readonly from: F
  readonly joins?: J
  readonly columns: C
  readonly where?: SQL
  readonly orderBy?: readonly Order[]
  readonly limit?: number | Placeholder
  readonly offset?: number | Placeholder
}

/** Which page of a query. */
export interface Page {
  readonly limit: number
  /** From which row on, counted from 0; from which place on, as next() of the page before said; or the last rows there are. */
  readonly from?: number | string | typeof theEnd | undefined
  /** How far to count the rows from the first of this page on, or all of them for the last page; one further than the page, unless given. */
  readonly ahead?: number
}

/** Found from there backwards, the last page costs what the first does. */
export const theEnd = Symbol('the end')

export interface PageOf<Rows> {
  readonly rows: Rows
  /** How many rows there are from the first of these on, or in all if these are the last; counted no further than was asked. */
  readonly ahead: number
  /** A cursor: where the next page begins; null if this is the last one. It is signed when it is asked for. */
  next (): string | null
}

export type AnyQuery = Query<TenantTable, readonly Join[], ColumnsOf<TenantTable, readonly Join[]>>

/** Describes a select once, for many calls: a constant is built and prepared once for each connection. */
export function query<F extends TenantTable, const J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>> (
  description: Query<F, J, C>
): Query<F, J, C> {
  return description
}

/**
 * Whether a text of this column has this one in it somewhere, in capitals or not; % and _ are signs like others. The column should be in
 * an index that begins with the account and has all else that is asked about, so that the account's names are read and no row is.
 *
 * No index finds what it looks for: under row-level security only what is LEAKPROOF may come before the policy, and LIKE, full text search
 * and every operator of GIN are not, so pg_trgm and btree_gin change nothing. Nor is one needed. To look through 100,000 names of 28
 * characters for one that is not there takes 25 ms of processor time on PostgreSQL 15 and 18, through 375 takes 0.2 ms, and what many
 * have is found in 1 ms. Most of it goes to lower(), and more in Unicode (44 and 38 ms; ILIKE 57 and 48 ms; a regular expression up to
 * 500 ms). So the first condition goes by ASCII and lets any other letter pass that has capitals; only what is left is looked at again.
 * The worst is a single letter such as that, at 70 ms.
 */
export function contains (column: AnyPgColumn, text: string | Placeholder): SQL {
  const as = (mapToDriverValue: (text: string) => string) => sql.param(text as string, { mapToDriverValue })
  return sql`(lower(${column} collate "C") like ${as(roughly)} and lower(${column}) like lower(${as(exactly)}))`
}

const exactly = (text: string) => `%${text.replace(/[\\%_]/g, '\\$&')}%`
const roughly = (text: string) => exactly(text).replace(/[A-Z]/g, letter => letter.toLowerCase()).replace(/[^\0-\x7f]/gu, letter => isCased(letter) ? '%' : letter)
const isCased = (letter: string) => letter.toLowerCase() !== letter.toUpperCase()
