// The first wall: all that application code sees of the database. Every verb adds `account_id = <this tenant>` to every table it
// names, from a placeholder that only the transaction fills. What comes back are rows, not a builder: there is no filter to drop.
// statements.ts says how the statements are made.
import { count, getTableColumns, getTableName, sql } from 'drizzle-orm'
import { makePgArray } from 'drizzle-orm/pg-core'
import type { SelectResult } from 'drizzle-orm/query-builders/select.types'
import type { ChangeableTable, TenantTable } from '../db/tenant-table.ts'
import { type AccountId, accountId } from './account.ts'
import type { Cursors } from './cursor.ts'
import { type ColumnsOf, type Join, type NewRow, type Nullability, type Page, type PageOf, type Query, type Row, type Where, theEnd } from './query.ts'
import { type Values, Statement, db, once, rowsOf } from './statement.ts'
import { behind, listOf, pageSelection } from './pages.ts'
import { columnOf, holes, known, matching, mine, mustBeChangeable, owned, prefixed, selection } from './statements.ts'
import { type Tallied, type Tally, tallying } from './tally.ts'
import type { Part, Transaction } from './transaction.ts'

/** One account's rows, in one transaction. Made by withTenant() and for each request; never by application code. */
export class Tenant {
  readonly #account: AccountId
  /** What fills the placeholder of every statement's filter. It goes before whatever the caller's values say. */
  readonly #mine: Values
  readonly #transaction: Transaction
  readonly #cursors: Cursors
  readonly #part: Part

  /** @throws {TenantMissingError} if the transaction has no account */
  constructor (transaction: Transaction, cursors: Cursors, part: Part = transaction.whole) {
    this.#account = accountId(transaction.account)
    this.#mine = { account: this.#account }
    this.#transaction = transaction
    this.#cursors = cursors
    this.#part = part
  }

  get account (): AccountId {
    return this.#account
  }

  /**
   * The rows that a description selects.
   * @param values what fills the description's placeholders
   */
  async select<F extends TenantTable, const J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>> (
    description: Query<F, J, C>, values: Values = {}
  ): Promise<SelectResult<C, 'partial', Nullability<F, J>>[]> {
    return await this.#run(once(description, () => selection(description)), values)
  }

  /**
   * A page of the rows that a description selects, in its order, which must be of its own columns and end with the id. Whatever is
   * joined must be one row at the most, and a row that a filter lets through must find it. From a number of rows on it costs the more the
   * higher that is; from a cursor, or at the end, what the first page costs.
   * @param values what fills the description's placeholders; a cursor is good for the same ones only
   * @throws {AppError} cursor_invalid
   */
  async page<F extends TenantTable, const J extends readonly Join[] = [], C extends ColumnsOf<F, J> = ColumnsOf<F, J>> (
    description: Query<F, J, C>, { limit, from = 0, ahead = limit + 1 }: Page, values: Values = {}
  ): Promise<PageOf<SelectResult<C, 'partial', Nullability<F, J>>[]>> {
    const list = listOf(description).name(values)
    const start = typeof from === 'string' ? 'after' : from === theEnd ? 'end' : from === 0 && !description.where ? 'first' : 'offset'
    const part: Values[] = typeof from === 'string'
      ? [{ 'page limit': limit + 1 }, behind(this.#cursors.read(this.#account, list, from))] // the one too many tells that there is more
      : [{ 'page limit': limit, 'page ahead': ahead, 'page offset': from === theEnd ? 0 : from }]
    const statement = once(description, () => pageSelection(description, start), start)
    const { rows: found, ahead: counted, spotOf } = await this.#run(statement, ...part, values)
    const rows = found.slice(0, limit)
    const next = () => rows.length > 0 && counted > limit && start !== 'end' ? this.#cursors.write(this.#account, list, spotOf(rows.length - 1)) : null
    return { rows: rows as never, ahead: counted, next }
  }

  /** The first row that matches, or undefined: a row of another account is as absent as one that never was. */
  async get<T extends TenantTable> (table: T, where: Where<T>): Promise<Row<T> | undefined> {
    const { key, condition, values } = matching('get', table, where)
    const statement = once(key, () => new Statement(
      db.select().from(table as TenantTable).where(condition()).limit(1), rowsOf<Row<T>>(getTableColumns(table))))
    return (await this.#run(statement, values))[0]
  }

  /**
   * The rows that match, as they are once nobody else is changing them, and as they stay until the transaction ends. They are waited for in
   * the order of their ids, so that two calls never wait for each other.
   */
  async lock<T extends ChangeableTable> (table: T, where: Where<T>): Promise<Row<T>[]> {
    mustBeChangeable(table)
    const { key, condition, values } = matching('lock', table, where)
    const statement = once(key, () => new Statement(
      db.select().from(table as TenantTable).where(condition()).orderBy(columnOf(table, 'id')).for('no key update'), rowsOf<Row<T>>(getTableColumns(table))))
    return await this.#run(statement, values)
  }

  async count<T extends TenantTable> (table: T, where: Where<T> = {}): Promise<number> {
    const { key, condition, values } = matching('count', table, where)
    const n = count()
    const statement = once(key, () => new Statement(db.select({ n }).from(table as TenantTable).where(condition()), rowsOf<{ n: number }>({ n })))
    return (await this.#run(statement, values))[0]!.n
  }

  async exists<T extends TenantTable> (table: T, where: Where<T>): Promise<boolean> {
    const { key, condition, values } = matching('exists', table, where)
    const statement = once(key, () => new Statement(
      db.select({ one: sql`1` }).from(table as TenantTable).where(condition()).limit(1), rows => rows.length > 0))
    return await this.#run(statement, values)
  }

  /**
   * Rows counted by what they have in common.
   * @param values what fills the description's placeholders
   */
  async tally<F extends TenantTable, const J extends readonly Join[], B extends ColumnsOf<F, J>, W extends ColumnsOf<F, J>> (
    description: Tally<F, J, B, W>, values: Values = {}
  ): Promise<Tallied<F, J, B, W>[]> {
    return await this.#run(once(description, () => tallying(description)), values)
  }

  /** Inserts one row and returns it as stored. */
  async insert<T extends TenantTable> (table: T, row: NewRow<T>): Promise<Row<T>> {
    const full = owned(table, row)
    const key = `insert ${getTableName(table)} ${Object.keys(full)}`
    const statement = once(key, () => new Statement(
      db.insert(table as TenantTable).values({ ...holes(full), accountId: mine } as never).returning(), rowsOf<Row<T>>(getTableColumns(table))))
    return (await this.#run(statement, prefixed('set', full)))[0]!
  }

  /** Inserts many rows, all with the same columns, in one statement and returns how many; a few thousand at a time is best. */
  async insertMany<T extends TenantTable> (table: T, rows: readonly NewRow<T>[]): Promise<number> {
    if (rows.length === 0) return 0
    const full = rows.map(row => owned(table, row))
    const names = Object.keys(full[0]!)
    if (full.some(row => Object.keys(row).length !== names.length || names.some(name => !(name in row)))) {
      throw new TypeError(`All rows for ${getTableName(table)} must have the same columns.`)
    }
    const columns = names.map(name => columnOf(table, name))
    const identifiers = [columnOf(table, 'accountId'), ...columns].map(column => sql.identifier(column.name))
    const arrays = columns.map((column, i) => {
      const values = full.map(row => row[names[i]!]).map(value => value === null ? null : column.mapToDriverValue(value) as string)
      return sql`${makePgArray(values)}::${sql.raw(column.getSQLType())}[]`
    })
    // Never prepared for another call, so the account is in it. RETURNING, because Citus would otherwise plan an INSERT ... SELECT of its own
    const statement = sql`insert into ${table} (${sql.join(identifiers, sql`, `)})
      select ${this.#account}::bigint, * from unnest(${sql.join(arrays, sql`, `)}) returning 1`
    return await this.#run(new Statement(statement, rows => rows.count))
  }

  /** Changes the rows that match and returns them as stored. */
  async update<T extends ChangeableTable> (table: T, where: Where<T>, set: Partial<NewRow<T>>): Promise<Row<T>[]> {
    mustBeChangeable(table)
    const changes = known(table, set)
    if (Object.keys(changes).length === 0) throw new TypeError('An update without changes.')
    const { key, condition, values } = matching(`update ${Object.keys(changes)}`, table, where)
    const statement = once(key, () => new Statement(
      db.update(table as TenantTable).set(holes(changes) as never).where(condition()).returning(), rowsOf<Row<T>>(getTableColumns(table))))
    return await this.#run(statement, values, prefixed('set', changes))
  }

  /** Deletes the rows that match, and what belongs to them; returns how many matched. */
  async delete<T extends ChangeableTable> (table: T, where: Where<T>): Promise<number> {
    mustBeChangeable(table)
    const { key, condition, values } = matching('delete', table, where)
    const statement = once(key, () => new Statement(
      db.delete(table as TenantTable).where(condition()).returning({ account: columnOf(table, 'accountId') }), rows => rows.length))
    return await this.#run(statement, values)
  }

  /**
   * Runs `work` in a part of the transaction that can fail alone (a savepoint). Meanwhile only the tenant that it is given may speak.
   * @throws {AppError} tenant_mismatch if it is to be another account's; part_open if another part is open
   */
  nested<T> (account: AccountId, work: (tenant: Tenant) => Promise<T>): Promise<T> {
    return this.#transaction.nested(this.#part, account, part => work(new Tenant(this.#transaction, this.#cursors, part)))
  }

  #run<T> (statement: Statement<T>, ...values: Values[]): Promise<T> {
    return this.#transaction.ask(this.#part, statement.text, statement.fill([this.#mine, ...values])).then(rows => statement.read(rows))
  }
}
