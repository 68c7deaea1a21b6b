// The part of D42 that reads rows: does every child have its parent, in its own account? Composite keys see to it, unless somebody
// switched them off for a while. It takes a superuser, since nobody else sees two accounts at once.
import { getTableName } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import { tenantTables } from '../db/schema.ts'
import type { Finding } from './check.ts'

const sample = 100_000 // rows of each table, about

/** @param sql one connection of a superuser */
export async function findOrphans (sql: postgres.Sql): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const table of tenantTables) {
    const { name: child, foreignKeys } = getTableConfig(table)
    for (const key of foreignKeys) {
      const { columns, foreignColumns, foreignTable } = key.reference()
      const parent = getTableName(foreignTable)
      const same = columns.map((column, i) => sql`p.${sql(foreignColumns[i]!.name)} = c.${sql(column.name)}`).reduce((all, one) => sql`${all} and ${one}`)
      const [row] = await sql`
        select count(*)::int as orphans from ${sql(child)} c
         where random() < (select ${sample} / greatest(reltuples, ${sample}) from pg_class where oid = to_regclass(${child}))
           and not exists (select from ${sql(parent)} p where ${same})`
      if (row!.orphans > 0) {
        findings.push({
          id: 'D42',
          severity: 'high',
          found: `${row!.orphans} rows of ${child} have no ${parent} row in their account.`,
          mend: 'Find out who wrote them, then delete them or give them a parent.'
        })
      }
    }
  }
  return findings
}
