// Rows for any tenant table, worked out from the schema; so a new table is covered by the isolation tests without anyone adding it.
import { type Table, getTableColumns, getTableName } from 'drizzle-orm'
import { type AnyPgColumn, getTableConfig } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import { v7 } from 'uuid'
import { tenantTables } from '../../src/db/schema.ts'
import type { TenantTable } from '../../src/db/tenant-table.ts'
import type { AccountId } from '../../src/tenancy/account.ts'
import { canary } from './canary.ts'

export type Plain = Record<string, string | number | boolean | Date>
export interface Sample { readonly table: TenantTable, readonly name: string, readonly row: Plain }

/** The tables whose rows a row of this one refers to, by the columns (in the program's names) that do. */
export function parentsOf (table: TenantTable): { column: string, parent: Table }[] {
  const nameOf = (column: AnyPgColumn) => Object.entries(getTableColumns(table)).find(([, each]) => each.name === column.name)![0]
  return getTableConfig(table).foreignKeys.map(key => key.reference())
    .filter(({ columns }) => columns.length > 1)
    .map(({ columns, foreignTable }) => ({ column: nameOf(columns[1] as AnyPgColumn), parent: foreignTable }))
}

/** One row of each tenant table for this account, parents first, in the program's names; `account_id` included. */
export function sampleRows (account: AccountId): Sample[] {
  const made = new Map<string, Plain>()
  return tenantTables.map(table => {
    const parents = parentsOf(table)
    const row: Plain = {}
    for (const [name, column] of Object.entries(getTableColumns(table)) as [string, AnyPgColumn][]) {
      const parent = parents.find(each => each.column === name)?.parent
      if (name === 'accountId') row[name] = account
      else if (parent) row[name] = made.get(getTableName(parent))!.id!
      else if (name === 'id') row[name] = v7()
      else if (!column.hasDefault) row[name] = valueFor(column, account)
    }
    made.set(getTableName(table), row)
    return { table, name: getTableName(table), row }
  })
}

function valueFor (column: AnyPgColumn, account: AccountId): Plain[string] {
  const values: Record<string, Plain[string]> = { string: `${column.name} of ${account}`, number: 1, boolean: true, date: new Date(0) }
  const value = values[column.dataType]
  if (value === undefined) throw new Error(`Tell sampleRows() what a ${column.getSQLType()} (${column.name}) may be.`)
  return value
}

/** The same row under the database's names. */
export function inDatabase (table: TenantTable, row: Plain): Record<string, Plain[string]> {
  const columns = getTableColumns(table) as Record<string, AnyPgColumn>
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [columns[name]!.name, value]))
}

/** Writes one row of each table for each account, behind the walls, every text with its account's canary, and returns them. */
export async function plant<Id extends AccountId> (admin: postgres.Sql, ...ids: Id[]): Promise<Sample[][]> {
  const planted = ids.map(id => sampleRows(id).map(sample => bearing(sample, canary(id))))
  for (const samples of planted) {
    for (const { table, name, row } of samples) await admin`insert into ${admin(name)} ${admin(inDatabase(table, row) as never)}`
  }
  return planted
}

/** The same row, each of its texts with a mark. */
export function bearing ({ table, name, row }: Sample, mark: string): Sample {
  const columns = getTableColumns(table) as Record<string, AnyPgColumn>
  const mayBear = (each: string) => columns[each]!.getSQLType() === 'text' && !columns[each]!.enumValues
  return { table, name, row: Object.fromEntries(Object.entries(row).map(([each, value]) => [each, mayBear(each) ? `${String(value)} ${mark}` : value])) }
}

/** All that an account has, as the database sees it: two equal answers mean that nothing was changed in between. */
export async function everythingOf (admin: postgres.Sql, account: AccountId): Promise<string> {
  const parts = []
  for (const table of tenantTables) {
    const name = getTableName(table)
    parts.push(await admin`select to_jsonb(t) as row from ${admin(name)} t where account_id = ${account} order by t::text`)
  }
  return JSON.stringify(parts)
}
