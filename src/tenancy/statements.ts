// How the helpers' statements are made: with the tenant's filter on every table, and nothing in them that could go round it.
import {
  Column, Param, Placeholder, SQL, StringChunk, type Table, and, eq, getTableColumns, getTableName, is, isNull, placeholder, sql
} from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { type ChangeableTable, type TenantTable, isChangeable, tenantTables } from '../db/tenant-table.ts'
import { AppError } from '../errors.ts'
import { uuidv7 } from '../ids.ts'
import type { AnyQuery, Join, Where } from './query.ts'
import { type Values, Statement, db, rowsOf } from './statement.ts'

/** Filled by the tenant, whatever the caller's values say. */
export const mine = placeholder('account')

export const ofTenant = (table: TenantTable): SQL => eq(columnOf(table, 'accountId'), mine)

/** The tenant's rows of a table, narrowed by the caller's condition, which stays in its own parentheses whatever it is made of. */
export const narrowed = (table: TenantTable, condition?: SQL): SQL => condition ? sql`${ofTenant(table)} and (${condition})` : ofTenant(table)

export function selection<T> (query: AnyQuery): Statement<T[]> {
  const { from, joins = [], columns, where, orderBy = [], limit, offset } = query
  mustBeSafe(query)
  for (const amount of [limit, offset]) mustBeAmount(amount)
  let select = joined(db.select(columns).from(from).$dynamic(), joins).where(narrowed(from, where)).orderBy(...orderBy)
  if (limit !== undefined) select = select.limit(limit)
  if (offset !== undefined) select = select.offset(offset)
  return new Statement(select, rowsOf<T>(columns))
}

/** Anything else drizzle would leave out, or take for SQL. */
export function mustBeAmount (amount: unknown): void {
  if (amount !== undefined && typeof amount !== 'number' && !is(amount, Placeholder)) throw new TypeError('A limit or offset is a number or a placeholder.')
}

/** Everything in it is of tenant tables that it names. */
export function mustBeSafe ({ from, joins = [], columns, where, orderBy = [] }: AnyQuery): void {
  const tables = [from, ...joins.map(join => join.table)]
  for (const table of tables) mustBeTenanted(table)
  for (const column of Object.values(columns)) if (!is(column, Column)) throw new AppError('not_tenanted')
  for (const part of [...Object.values(columns), where, ...orderBy, ...joins.map(join => join.on)]) mustStayWithin(tables, part)
}

type Joinable = { leftJoin (table: TenantTable, on: SQL): unknown, innerJoin (table: TenantTable, on: SQL): unknown }

export function joined<S extends object> (select: S, joins: readonly Join[]): S {
  for (const { table, kind, on } of joins) {
    const condition = narrowed(table, on)
    select = (kind === 'left' ? (select as Joinable).leftJoin(table, condition) : (select as Joinable).innerJoin(table, condition)) as S
  }
  return select
}

/** The condition of a statement on one table, for when it is built, and the key under which it may be prepared for the next call. */
export function matching<T extends TenantTable> (verb: string, table: T, where: Where<T>): {
  key: string | object, condition: () => SQL, values: Values
} {
  mustBeTenanted(table)
  if (is(where, SQL)) {
    mustStayWithin([table], where)
    return { key: {}, condition: () => narrowed(table, where), values: {} }
  }
  const pairs = Object.entries(where)
  if (pairs.some(([, value]) => value === undefined)) throw new TypeError(`A match on ${getTableName(table)} has an undefined value.`)
  const values = prefixed('where', known(table, where))
  const equal = ([name, value]: [string, unknown]) => {
    const column = columnOf(table, name)
    return value === null ? isNull(column) : eq(column, sql.param(placeholder(`where ${name}`), column))
  }
  return {
    key: `${verb} ${getTableName(table)} where ${pairs.map(([name, value]) => value === null ? `${name} null` : name)}`,
    condition: () => narrowed(table, and(...pairs.map(equal))),
    values
  }
}

export const holes = (values: Values): Values => Object.fromEntries(Object.keys(values).map(name => [name, placeholder(`set ${name}`)]))

export const prefixed = (prefix: string, values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix} ${name}`, value]))

/** A row to insert, without its account, which the statement adds. */
export function owned (table: TenantTable, row: object): Values {
  const given = known(table, row)
  return given.id === undefined && 'id' in getTableColumns(table) ? { id: uuidv7(), ...given } : given
}

/** Values by column; what is undefined is left out. The types refuse another's account, too; this is for code that went round them. */
export function known (table: TenantTable, values: object): Values {
  mustBeTenanted(table)
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    if (name === 'accountId') throw new AppError('tenant_mismatch')
    columnOf(table, name)
    if (is(value, SQL)) throw new TypeError(`${name} is to be a value, not SQL.`)
  }
  return Object.fromEntries(given)
}

export function columnOf (table: TenantTable, name: string): AnyPgColumn {
  const columns = getTableColumns(table) as Record<string, AnyPgColumn>
  if (!Object.hasOwn(columns, name)) throw new TypeError(`${getTableName(table)} has no column "${name}".`)
  return columns[name]!
}

/** One of the tables themselves: an alias of one would go by another's name. */
function mustBeTenanted (table: unknown): asserts table is TenantTable {
  if (!tenantTables.includes(table as TenantTable)) throw new AppError('not_tenanted')
}

/** The types say so, too; and the grants. */
export function mustBeChangeable (table: TenantTable): asserts table is ChangeableTable {
  mustBeTenanted(table)
  if (!isChangeable(table)) throw new AppError('append_only')
}

/** The words and signs that drizzle's operators, and contains(), put between columns and values. Nothing else is let through as text. */
const operators = /^(\s|[=<>!~,()]|collate "C"|\b(and|or|not|in|is|null|like|ilike|between|asc|desc|nulls|first|last|true|false|lower)\b)*$/i

/** A condition or order may name columns of these tables, operators and values; a subquery or a function of its own could escape. */
function mustStayWithin (tables: readonly Table[], part: unknown): void {
  if (part === undefined || part === null || typeof part !== 'object') return
  if (is(part, Column)) {
    if (!tables.includes(part.table)) throw new AppError('not_tenanted')
  } else if (is(part, SQL)) {
    const text = part.queryChunks.map(chunk => is(chunk, StringChunk) ? chunk.value.join('') : '').join(' ')
    if (!operators.test(text) || !balanced(text)) throw new AppError('not_tenanted')
    for (const chunk of part.queryChunks) if (!is(chunk, StringChunk)) mustStayWithin(tables, chunk)
  } else if (is(part, Param)) {
    mustStayWithin(tables, part.value)
  } else if (Array.isArray(part)) {
    for (const each of part) mustStayWithin(tables, each)
  } else if ('getSQL' in part && !is(part, Placeholder)) {
    throw new AppError('not_tenanted') // a table, a view, a subquery, a builder, an alias
  }
}

function balanced (text: string): boolean {
  let depth = 0
  for (const sign of text) {
    if (sign === '(') depth++
    if (sign === ')' && --depth < 0) return false
  }
  return depth === 0
}
