// Two things that drizzle could do for us and does not. Both are measured in bench/.
import { Column, type Query, Placeholder, is } from 'drizzle-orm'
import type { PgDialect, SelectedFieldsOrdered } from 'drizzle-orm/pg-core'

/**
 * Makes a drizzle instance give each placeholder one parameter, however often it occurs. PostgreSQL then knows that all account_ids of a
 * statement are the same one, and asks tenancy.current_account() once rather than for each table.
 */
export function shareParameters (db: object): void {
  const { dialect } = db as { dialect: PgDialect }
  const { sqlToQuery } = dialect
  dialect.sqlToQuery = (...args) => shared(sqlToQuery.apply(dialect, args))
}

function shared<Q extends Query> (query: Q): Q {
  const params: unknown[] = []
  const numbers = query.params.map(param => {
    const same = is(param, Placeholder) ? params.findIndex(each => is(each, Placeholder) && each.name === param.name) : -1
    return same < 0 ? params.push(param) : same + 1
  })
  return { ...query, sql: query.sql.replace(/\$(\d+)/g, (_, number: string) => `$${numbers[Number(number) - 1]}`), params }
}

type Make = (values: unknown[]) => Record<string, unknown>

/**
 * Has a prepared select of columns make its rows by a list of names and decoders. drizzle looks for each value's place anew in every row,
 * which takes it as long as the driver needs to read them.
 */
export function plainRows<P extends object> (prepared: P): P {
  const make = maker(fieldsOf(prepared))
  return Object.assign(prepared, { customResultMapper: (rows: unknown[][]) => rows.map(make) })
}

/** The same for a select whose last field is the same in each row, a number that is said of all of them. */
export function plainRowsAnd<P extends object> (prepared: P): P {
  const make = maker(fieldsOf(prepared).slice(0, -1))
  return Object.assign(prepared, { customResultMapper: (rows: unknown[][]) => Object.assign(rows.map(make), { said: Number(rows[0]?.at(-1) ?? 0) }) })
}

const fieldsOf = (prepared: object): SelectedFieldsOrdered => (prepared as { fields: SelectedFieldsOrdered }).fields

function maker (fields: SelectedFieldsOrdered): Make {
  const columns = fields.map(({ path, field }) => {
    if (path.length > 1 || !is(field, Column)) throw new TypeError('Only columns can be selected, and not in groups.')
    return { name: path[0]!, column: field }
  })
  return values => {
    const row: Record<string, unknown> = {}
    for (let i = 0; i < columns.length; i++) {
      const { name, column } = columns[i]!
      row[name] = values[i] === null ? null : column.mapFromDriverValue(values[i])
    }
    return row
  }
}
