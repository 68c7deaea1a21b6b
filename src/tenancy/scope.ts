// The first wall: all that application code sees of the database. Every verb adds `account_id = <this tenant>` to every table it
// names, from a placeholder that only the transaction fills. What comes back are rows, not a builder: there is no filter to drop.
import {
  type InferInsertModel, type InferSelectModel, Column, Placeholder, SQL, StringChunk, type Table, and, count, eq, getTableColumns, getTableName, is,
  isNull, placeholder, sql
} from 'drizzle-orm'
import { type AnyPgColumn, makePgArray } from 'drizzle-orm/pg-core'
import type { SelectResult } from 'drizzle-orm/query-builders/select.types'
import { type TenantTable, isTenantTable } from '../db/tenant-table.ts'
import { AppError } from '../errors.ts'
import { uuidv7 } from '../ids.ts'
import { type AccountId, accountId } from './account.ts'
import type { Db, Prepared, Rows } from './slots.ts'
import type { Transaction } from './transaction.ts'

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
type Nullability<F extends TenantTable, J extends readonly Join[]> = { [N in NameOf<F>]: 'not-null' } &
  { [E in J[number] as NameOf<E['table']>]: E['kind'] extends 'left' ? 'nullable' : 'not-null' }
type ColumnsOf<F extends TenantTable, J extends readonly Join[]> = Record<string, AnyPgColumn<{ tableName: NameOf<F> | NameOf<J[number]['table']> }>>

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

/** Describes a select once, for many calls: a constant is built and prepared once for each connection. */
export function query<F extends TenantTable, const J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>> (
  description: Query<F, J, C>
): Query<F, J, C> {
  return description
}

type Values = Record<string, unknown>

/** One account's rows, in one transaction. Made by withTenant() and for each request; never by application code. */
export class Tenant {
  readonly account: AccountId
  readonly #transaction: Transaction

  /** @throws {TenantMissingError} if the transaction has no account */
  constructor (transaction: Transaction) {
    this.account = accountId(transaction.account)
    this.#transaction = transaction
  }

  /**
   * The rows that a description selects.
   * @param values what fills the description's placeholders
   */
  async select<F extends TenantTable, const J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>> (
    description: Query<F, J, C>, values: Values = {}
  ): Promise<SelectResult<C, 'partial', Nullability<F, J>>[]> {
    return this.#run(description, db => selection(db, description), values)
  }

  /** The first row that matches, or undefined: a row of another account is as absent as one that never was. */
  async get<T extends TenantTable> (table: T, where: Where<T>): Promise<Row<T> | undefined> {
    const { key, condition, values } = matching('get', table, where)
    const rows = await this.#run<Row<T>[]>(key, db => db.select().from(table as TenantTable).where(condition).limit(1).prepare('get'), values)
    return rows[0]
  }

  async count<T extends TenantTable> (table: T, where: Where<T> = {}): Promise<number> {
    const { key, condition, values } = matching('count', table, where)
    const rows = await this.#run<{ n: number }[]>(key, db => db.select({ n: count() }).from(table as TenantTable).where(condition).prepare('count'), values)
    return rows[0]!.n
  }

  async exists<T extends TenantTable> (table: T, where: Where<T>): Promise<boolean> {
    const { key, condition, values } = matching('exists', table, where)
    const rows = await this.#run<unknown[]>(key, db => db.select({ one: sql`1` }).from(table as TenantTable).where(condition).limit(1).prepare('exists'), values)
    return rows.length > 0
  }

  /** Inserts one row and returns it as stored. */
  async insert<T extends TenantTable> (table: T, row: NewRow<T>): Promise<Row<T>> {
    const full = owned(table, row)
    const key = `insert ${getTableName(table)} ${Object.keys(full)}`
    const rows = await this.#run<Row<T>[]>(key, db => {
      const holes = Object.fromEntries(Object.keys(full).map(name => [name, placeholder(`set ${name}`)]))
      return db.insert(table as TenantTable).values({ ...holes, accountId: mine } as never).returning().prepare('insert')
    }, prefixed('set', full))
    return rows[0]!
  }

  /** Inserts many rows of one shape in one statement and returns how many; a few thousand at a time is best. */
  async insertMany<T extends TenantTable> (table: T, rows: readonly NewRow<T>[]): Promise<number> {
    if (rows.length === 0) return 0
    const full = rows.map(row => owned(table, row))
    const columns = Object.keys(full[0]!).map(name => ({ name, column: columnOf(table, name) }))
    const values = columns.map(({ name, column }) =>
      makePgArray(full.map(row => row[name] === null || row[name] === undefined ? null : column.mapToDriverValue(row[name]) as string)))
    const names = sql.join([columnOf(table, 'accountId'), ...columns.map(({ column }) => column)].map(column => sql.identifier(column.name)), sql`, `)
    const arrays = sql.join(columns.map(({ column }, i) => sql`${values[i]}::${sql.raw(column.getSQLType())}[]`), sql`, `)
    // RETURNING, because Citus would otherwise plan an INSERT ... SELECT of its own
    const statement = sql`insert into ${table} (${names}) select ${this.account}::bigint, * from unnest(${arrays}) returning 1`
    return (await this.#run<Rows>({}, db => db.execute(statement) as unknown as Prepared<unknown>)).count
  }

  /** Changes the rows that match and returns them as stored. */
  async update<T extends TenantTable> (table: T, where: Where<T>, set: Partial<NewRow<T>>): Promise<Row<T>[]> {
    refuseForeign(set)
    const { key, condition, values } = matching(`update ${Object.keys(set)}`, table, where)
    return this.#run<Row<T>[]>(key, db => {
      const holes = Object.fromEntries(Object.keys(set).map(name => [name, placeholder(`set ${name}`)]))
      return db.update(table as TenantTable).set(holes as never).where(condition).returning().prepare('update')
    }, { ...values, ...prefixed('set', set) })
  }

  /** Deletes the rows that match, and what belongs to them; returns how many matched. */
  async delete<T extends TenantTable> (table: T, where: Where<T>): Promise<number> {
    const { key, condition, values } = matching('delete', table, where)
    const rows = await this.#run<unknown[]>(key, db =>
      db.delete(table as TenantTable).where(condition).returning({ account: columnOf(table, 'accountId') }).prepare('delete'), values)
    return rows.length
  }

  /**
   * Runs `work` in a part of the transaction that can fail alone (a savepoint).
   * @throws {AppError} tenant_mismatch if it is to be another account's
   */
  nested<T> (account: AccountId, work: (tenant: this) => Promise<T>): Promise<T> {
    return this.#transaction.nested(account, () => work(this))
  }

  #run<T> (key: string | object, build: (db: Db) => Prepared<unknown>, values: Values = {}): Promise<T> {
    return this.#transaction.ask(slot => slot.prepare(key, build).execute({ ...values, account: this.account }) as Promise<T>)
  }
}

/** Filled by the transaction, last, whatever the caller's values say. */
const mine = placeholder('account')

const ofTenant = (table: TenantTable): SQL => eq(columnOf(table, 'accountId'), mine)

type AnyQuery = Query<TenantTable, readonly Join[], ColumnsOf<TenantTable, readonly Join[]>>

function selection (db: Db, { from, joins = [], columns, where, orderBy = [], limit, offset }: AnyQuery) {
  const tables = [from, ...joins.map(join => join.table)]
  for (const table of tables) mustBeTenanted(table)
  for (const part of [...Object.values(columns), where, ...orderBy, ...joins.map(join => join.on)]) mustStayWithin(tables, part)

  let select = db.select(columns).from(from).$dynamic()
  for (const { table, kind, on } of joins) {
    select = (kind === 'left' ? select.leftJoin(table, and(ofTenant(table), on)) : select.innerJoin(table, and(ofTenant(table), on))) as unknown as typeof select
  }
  select = select.where(and(ofTenant(from), where)).orderBy(...orderBy)
  if (limit !== undefined) select = select.limit(limit)
  if (offset !== undefined) select = select.offset(offset)
  return select.prepare('select')
}

/** The condition of a statement on one table, and the key under which that statement may be prepared for the next call. */
function matching<T extends TenantTable> (verb: string, table: T, where: Where<T>): { key: string | object, condition: SQL, values: Values } {
  mustBeTenanted(table)
  if (is(where, SQL)) {
    mustStayWithin([table], where)
    return { key: {}, condition: and(ofTenant(table), where)!, values: {} }
  }
  refuseForeign(where)
  const pairs = Object.entries(where)
  const conditions = pairs.map(([name, value]) => {
    const column = columnOf(table, name)
    return value === null ? isNull(column) : eq(column, sql.param(placeholder(`where ${name}`), column))
  })
  return {
    key: `${verb} ${getTableName(table)} where ${pairs.map(([name, value]) => value === null ? `${name} null` : name)}`,
    condition: and(ofTenant(table), ...conditions)!,
    values: prefixed('where', where)
  }
}

const prefixed = (prefix: string, values: object): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix} ${name}`, value]))

/** A row to insert, without its account, which the statement adds. */
function owned (table: TenantTable, row: object): Values {
  mustBeTenanted(table)
  refuseForeign(row)
  return 'id' in getTableColumns(table) ? { id: uuidv7(), ...row } : { ...row }
}

function columnOf (table: TenantTable, name: string): AnyPgColumn {
  const column = (getTableColumns(table) as Record<string, AnyPgColumn>)[name]
  if (!column) throw new TypeError(`${getTableName(table)} has no column "${name}"`)
  return column
}

/** The types refuse these as well; this is for code that went round them. */
function refuseForeign (values: object): void {
  if ('accountId' in values && values.accountId !== undefined) throw new AppError('tenant_mismatch')
}

function mustBeTenanted (table: unknown): asserts table is TenantTable {
  if (!isTenantTable(table)) throw new AppError('not_tenanted')
}

/** A condition may name columns of these tables, operators and values; a table or a subquery of its own would escape the filter. */
function mustStayWithin (tables: readonly Table[], part: unknown): void {
  if (part === undefined || part === null || typeof part !== 'object') return
  if (is(part, Column)) {
    if (!tables.includes(part.table)) throw new AppError('not_tenanted')
  } else if (is(part, SQL)) {
    for (const chunk of part.queryChunks) mustStayWithin(tables, chunk)
  } else if (is(part, SQL.Aliased)) {
    mustStayWithin(tables, part.sql)
  } else if (Array.isArray(part)) {
    for (const each of part) mustStayWithin(tables, each)
  } else if (is(part, StringChunk)) {
    if (/\b(select|table)\b/i.test(part.value.join(''))) throw new AppError('not_tenanted') // a subquery as text
  } else if ('getSQL' in part && !('encoder' in part) && !is(part, Placeholder)) {
    throw new AppError('not_tenanted') // a table, a view, a subquery, a builder
  }
}
