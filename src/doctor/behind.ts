// What the app role cannot see: which keys the database takes (as the owner), and rows of two accounts at once (as a superuser).
import { getTableName } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import type { SigningKeys } from '../config.ts'
import { pads } from '../db/migrate.ts'
import { tenantTables } from '../db/schema.ts'
import { type Finding, migrate } from './check.ts'

const sample = 100_000 // rows of each table, about

/**
 * The rest of D28: a key that was rotated away must not open anything any more.
 * @param sql one connection of the owner
 */
export async function findStrangeKeys (sql: postgres.Sql, signing: SigningKeys | undefined): Promise<Finding[]> {
  if (!signing) return []
  const known = [signing.current, signing.previous].flatMap(key => key ? [pads(key).inner.toString('hex')] : [])
  const keys = await sql<{ pad: string }[]>`select encode(inner_pad, 'hex') as pad from tenancy.signing_keys`
  const strange = keys.filter(({ pad }) => !known.includes(pad)).length
  return strange === 0
    ? []
    : [{ id: 'D28', severity: 'high', found: `The database takes ${strange} signing key${strange > 1 ? 's' : ''} that this configuration does not have.`, mend: migrate }]
}

/**
 * The rest of D42: does every child have its parent, in its own account? Composite keys see to it, unless somebody switched them off
 * for a while.
 * @param sql one connection of a superuser
 */
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
