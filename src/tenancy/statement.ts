// drizzle builds our statements, and does not send them: each is built once for the process, and every transaction sends it on its own
// slot. Left to drizzle it would be built for each connection, and each value's place looked for anew in every row.
import { Column, Param, type Query, Placeholder, SQL, type SQLWrapper, is } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import { LRUCache } from 'lru-cache'
import type { Rows } from './slot.ts'

export type Values = Record<string, unknown>
type Decoder = Column | SQL
export type Read<T> = (rows: Rows) => T

/** Builds, and has no connection to send on. */
export const db = drizzle.mock()
export const dialect = new PgDialect()

export class Statement<T> {
  readonly text: string
  readonly #params: ((values: readonly Values[]) => unknown)[]
  readonly #read: Read<T>

  /** @param read makes something of the rows, each of which is an array of values */
  constructor (query: SQLWrapper, read: Read<T>) {
    const { sql, params } = shared(dialect.sqlToQuery(query.getSQL()))
    this.text = sql
    this.#params = params.map(filled)
    this.#read = read
  }

  /** What is sent for its parameters. @param values what fills its placeholders: each is filled by the first of these that has its name */
  fill (values: readonly Values[]): unknown[] {
    return this.#params.map(param => param(values))
  }

  /** What is made of its rows, of which there are none afterwards: V8 promotes postgres.js's answers, which would take all that is in them along. */
  read (rows: Rows): T {
    const read = this.#read(rows)
    rows.length = 0
    return read
  }
}

const kept = new LRUCache<string, Statement<unknown>>({ max: 1_000 }) // one for each set of columns that is ever named together
const keptFor = new WeakMap<object, Map<string, Statement<unknown>>>()

/** The statement under this key, built at its first use. An object as the key is let go with the object; `way` tells apart what it is a key to. */
export function once<T> (key: string | object, build: () => Statement<T>, way = ''): Statement<T> {
  const shelf = typeof key === 'string' ? kept : shelfOf(key)
  const name = typeof key === 'string' ? key : way
  let statement = shelf.get(name) as Statement<T> | undefined
  if (!statement) shelf.set(name, statement = build())
  return statement
}

function shelfOf (key: object): Map<string, Statement<unknown>> {
  let shelf = keptFor.get(key)
  if (!shelf) keptFor.set(key, shelf = new Map())
  return shelf
}

/** What is sent for a parameter. What kind of one it is, is found out once: drizzle's fillPlaceholders would do so at each call. */
function filled (param: unknown): (values: readonly Values[]) => unknown {
  const hole = is(param, Param) ? param.value : param
  if (!is(hole, Placeholder)) return () => param
  const { name } = hole
  const valueIn = (values: readonly Values[]) => {
    for (const some of values) if (name in some) return some[name]
    throw new TypeError(`There is no value for "${name}".`)
  }
  return is(param, Param) ? values => param.encoder.mapToDriverValue(valueIn(values)) : valueIn
}

/** Reads rows of these columns, in this order. */
export function rowsOf<T> (columns: Record<string, Decoder>): Read<T[]> {
  const names = Object.keys(columns)
  const decoders = Object.values(columns).map(column => is(column, SQL) ? decoderOf(column) : column)
    .map(decoder => decoder.mapFromDriverValue === asItIs ? undefined : decoder)
  const Row = plainObjects()
  return rows => {
    const read: T[] = []
    for (const values of rows as unknown as unknown[][]) { // not map(): rows are of a class of their own, for which it takes a slow way
      const row = new Row()
      for (let i = 0; i < names.length; i++) {
        const value = values[i]
        const decoder = decoders[i]
        row[names[i]!] = value === null || !decoder ? value : decoder.mapFromDriverValue(value)
      }
      read.push(row as T)
    }
    return read
  }
}

/**
 * Makes what `{}` makes, but with a hidden class for these alone: V8 looks for each name that is added to an object among all that were
 * ever added to one of its kind, of which `{}` has thousands. A row takes a sixth of the time (measured).
 */
function plainObjects (): new () => Values {
  function Plain () {}
  Plain.prototype = Object.prototype
  return Plain as unknown as new () => Values
}

/** Of the columns that want nothing done to their values, which are most. */
const asItIs = Column.prototype.mapFromDriverValue

/** What sql`...`.mapWith() was given; as it comes, if nothing. */
const decoderOf = (expression: SQL) => (expression as unknown as { decoder: { mapFromDriverValue (value: unknown): unknown } }).decoder

/**
 * Gives each placeholder one parameter, however often it occurs. PostgreSQL then knows that all account_ids of a statement are the same
 * one, and asks tenancy.current_account() once rather than for each table.
 */
function shared ({ sql, params }: Query): Query {
  const kept: unknown[] = []
  const numbers = params.map(param => {
    const same = is(param, Placeholder) ? kept.findIndex(each => is(each, Placeholder) && each.name === param.name) : -1
    return same < 0 ? kept.push(param) : same + 1
  })
  return { sql: sql.replace(/\$(\d+)/g, (_, number: string) => `$${numbers[Number(number) - 1]}`), params: kept }
}
