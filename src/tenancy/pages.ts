// How a page of a list is found, and which list a cursor is good for. statements.ts sees to it that all of it stays within the tenant.
import { Column, Param, Placeholder, SQL, type SQLWrapper, StringChunk, and, desc, eq, getTableColumns, getTableName, is, or, placeholder, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { TenantTable } from '../db/tenant-table.ts'
import type { Spot } from './cursor.ts'
import type { AnyQuery, Join, Order } from './query.ts'
import type { Rows } from './slot.ts'
import { type Values, Statement, db, dialect, rowsOf } from './statement.ts'
import { columnOf, joined, mustBeSafe, narrowed, ofTenant } from './statements.ts'

/** Where a page begins: with the first row, behind the row that a cursor tells of, after so many rows, or so many before the end. */
export type Start = 'first' | 'after' | 'offset' | 'end'

export interface Found<T> {
  readonly rows: T[]
  /** How many rows there are from the first of these on, or in all if these are the last; as far as they were counted. */
  readonly ahead: number
  /** Where one of the rows stands in the order. */
  spotOf (row: number): Spot
}

/**
 * One page of a query. Which rows it has is found before anything is joined to them, but for what the filter asks about. All but the one
 * behind a cursor also say how many rows there are, counted up to a limit; and all but those at an offset cost the same wherever they are.
 *
 * With a filter, only the ids of what it lets through are looked for, so that an index which has all that is asked can do without the
 * rows; and they are looked for once, to be shown and to be counted. A filter that few rows pass must look at all of the account's.
 */
export function pageSelection<T> (query: AnyQuery, start: Start): Statement<Found<T>> {
  const { from, joins = [], columns, where, orderBy = [] } = query
  const { order, asked } = listOf(query)
  const key = columnOf(from, 'id')
  const select = (fields: Record<string, AnyPgColumn>, condition = where) =>
    joined(db.select(fields as Record<'id', AnyPgColumn>).from(from as TenantTable).$dynamic(), asked).where(narrowed(from, condition))
  const found = start === 'end' ? orderBy.map(reversed) : orderBy
  const behindIt = where ? sql`(${where}) and ${behindOne(order)}` : behindOne(order)
  const how = (ahead: unknown) => ({ ...columns, [counted]: sql`(select count(*)::int from ${ahead})` })
  const read = reader<T>(columns, order, start === 'after')

  if (start === 'offset' || (start === 'end' && where)) { // its rows are skipped in the index, and counted with the same look at it
    const ahead = db.$with('ahead').as(select({ id: key }).orderBy(...found).limit(placeholder('page ahead')).offset(placeholder('page offset')))
    const page = db.select({ id: ahead.id }).from(ahead).limit(placeholder('page limit')).as('page')
    const rows = db.with(ahead).select(how(ahead)).from(page).innerJoin(from, and(ofTenant(from), eq(key, page.id))).$dynamic()
    return new Statement(joined(rows, joins).orderBy(...orderBy), read)
  }
  if (start === 'after' && where) {
    const page = select({ id: key }, behindIt).orderBy(...orderBy).limit(placeholder('page limit')).as('page')
    const rows = db.select(columns).from(page).innerJoin(from, and(ofTenant(from), eq(key, page.id))).$dynamic()
    return new Statement(joined(rows, joins).orderBy(...orderBy), read)
  }
  const all = getTableColumns(from) as Record<string, AnyPgColumn>
  const page = select(all, start === 'after' ? behindIt : where).orderBy(...found).limit(placeholder('page limit'))
    .as(getTableName(from)) // so the columns of the table are those of the page
  const ahead = select({ id: key }).limit(placeholder('page ahead')).as('ahead')
  const rows = (start === 'after' ? db.select(columns) : db.select(how(ahead))).from(page).$dynamic()
  return new Statement(joined(rows, joins).orderBy(...orderBy), read)
}

const counted = '(counted)' // no column can have this name

/**
 * A cursor gets what the order goes by as the server wrote it: a Date would have lost its microseconds, and with them the rows of the
 * same millisecond, or shown them twice.
 */
function reader<T> (columns: Record<string, AnyPgColumn>, order: readonly Key[], bare: boolean) {
  const places = order.map(({ column }) => Object.values(columns).indexOf(column))
  const rowsIn = rowsOf<T>(columns)
  return (reply: Rows): Found<T> => {
    const raw: (string | number | boolean)[][] = []
    for (const values of reply as unknown as typeof raw) raw.push(values) // not [...reply]: rows are of a class of their own
    return {
      rows: rowsIn(reply),
      ahead: bare ? raw.length : Number(raw[0]?.at(-1) ?? 0),
      spotOf: row => places.map(place => raw[row]![place]!)
    }
  }
}

/** The rows that come, in this order, after the one of which behind() has the values. */
function behindOne (order: readonly Key[]): SQL {
  const spots = order.map((_, i) => placeholder(`behind ${i}`))
  const than = ({ down }: Key) => sql.raw(down ? '<' : '>')
  if (order.every(({ down }) => down === order[0]!.down)) { // as one comparison, which an index of these columns can begin with
    return sql`${row(order.map(({ column }) => column))} ${than(order[0]!)} ${row(spots)}`
  }
  return or(...order.map((each, i) => and(
    ...order.slice(0, i).map(({ column }, before) => eq(column, spots[before])), sql`${each.column} ${than(each)} ${spots[i]}`)))!
}

const row = (parts: readonly SQLWrapper[]) => sql`(${sql.join(parts as SQL[], sql`, `)})`

export const behind = (spot: Spot): Values => Object.fromEntries(spot.map((value, i) => [`behind ${i}`, value]))

/** One of the columns that a list is ordered by. */
interface Key { readonly column: AnyPgColumn, readonly down: boolean }

export interface List {
  readonly order: readonly Key[]
  /** The joins without which the filter would name tables that are not there. */
  readonly asked: readonly Join[]
  /** What tells this list, with these values in its filter, from others, for its cursors. */
  name (values: Values): string
}
const lists = new WeakMap<AnyQuery, List>()

/** What a query is as a list. @throws {TypeError} if pages cannot be made of it; {AppError} not_tenanted */
export function listOf (query: AnyQuery): List {
  let list = lists.get(query)
  if (!list) lists.set(query, list = describe(query))
  return list
}

function describe (query: AnyQuery): List {
  mustBeSafe(query)
  const { from, joins = [], where } = query
  const order = orderOf(query)
  const tables = new Set([...columnsIn(where)].map(column => column.table))
  const { sql: text, params } = where ? dialect.sqlToQuery(where) : { sql: '', params: [] }
  const holes = params.map(param => is(param, Param) ? param.value : param).filter(param => is(param, Placeholder)).map(({ name }) => name)
  const fixed = params.filter(param => !is(param, Param) && !is(param, Placeholder))
  const identity = [getTableName(from), order.map(({ column, down }) => down ? `-${column.name}` : column.name), text, fixed]
  const plain = JSON.stringify(identity)
  return {
    order,
    asked: joins.slice(0, 1 + joins.findLastIndex(({ table }) => tables.has(table))), // one may be reached through those before it
    name: holes.length === 0 ? () => plain : values => JSON.stringify([...identity, holes.map(name => [name, values[name]])])
  }
}

function orderOf ({ from, columns, orderBy = [] }: AnyQuery): Key[] {
  const order = orderBy.map(keyOf)
  const own = Object.values(columns).filter(column => column.table === from && column.notNull) // null is neither before nor behind a value
  if (order.at(-1)?.column !== columnOf(from, 'id') || !order.every(({ column }) => own.includes(column))) {
    throw new TypeError('Pages are ordered by selected columns of the table that they are made from, none of which may be null, and the last of which is its id.')
  }
  return order
}

/** @throws {TypeError} if it is neither a column nor asc() or desc() of one */
export function keyOf (part: Order): Key {
  if (is(part, Column)) return { column: part, down: false }
  const [column, way, ...more] = part.queryChunks.map(chunk => is(chunk, StringChunk) ? chunk.value.join('').trim() : chunk).filter(chunk => chunk !== '')
  if (!is(column, Column) || (way !== 'asc' && way !== 'desc') || more.length > 0) throw new TypeError('Pages are ordered by columns, upwards or downwards.')
  return { column: column as AnyPgColumn, down: way === 'desc' }
}

export function reversed (part: Order): Order {
  const { column, down } = keyOf(part)
  return down ? column : desc(column)
}

/** The columns that a condition names, which mustBeSafe() has looked at. */
function * columnsIn (part: unknown): Generator<Column> {
  if (is(part, Column)) yield part
  const inner = Array.isArray(part) ? part : is(part, SQL) ? part.queryChunks : is(part, Param) ? [part.value] : []
  for (const each of inner) yield * columnsIn(each)
}
