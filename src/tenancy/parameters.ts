import { type Query, Placeholder, is } from 'drizzle-orm'
import type { PgDialect } from 'drizzle-orm/pg-core'

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
