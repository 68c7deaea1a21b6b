// Rows for any tenant table, worked out from the schema; so a new table is proven, and tested, without anyone adding it to a list.
import { type Table, getTableColumns, getTableName } from 'drizzle-orm'
import { type AnyPgColumn, getTableConfig } from 'drizzle-orm/pg-core'
import { v7 } from 'uuid'
import { tenantTables } from '../db/schema.ts'
import type { TenantTable } from '../db/tenant-table.ts'
import type { AccountId } from '../tenancy/account.ts'

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
  const values: Record<string, Plain[string]> = {
    string: column.enumValues?.[0] ?? (column.getSQLType() === 'uuid' ? v7() : `${column.name} of ${account}`), number: 1, boolean: true, date: new Date(0), json: '{}'
  }
  const value = values[column.dataType]
  if (value === undefined) throw new Error(`Tell sampleRows() what a ${column.getSQLType()} (${column.name}) may be.`)
  return value
}

/** Another row beside this one: the same but for its id and its texts, which may have to be unique. */
export function sibling ({ table, name, row }: Sample): Sample {
  const fixed = [...parentsOf(table).map(({ column }) => column), ...fixedColumns(table)]
  const fresh = Object.entries(row).map(([column, value]) =>
    [column, column === 'id' ? v7() : typeof value === 'string' && !fixed.includes(column) ? `${value} ${v7()}` : value])
  return { table, name, row: Object.fromEntries(fresh) }
}

/** The columns that do not take any text. */
const fixedColumns = (table: TenantTable) => Object.entries(getTableColumns(table) as Record<string, AnyPgColumn>)
  .filter(([, column]) => column.enumValues?.length || column.getSQLType() !== 'text').map(([name]) => name)

/** The same row under the database's names. */
export function inDatabase (table: TenantTable, row: Plain): Record<string, Plain[string]> {
  const columns = getTableColumns(table) as Record<string, AnyPgColumn>
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [columns[name]!.name, value]))
}

/** The row as one statement of SQL, its values written out: they are ours, and the probes send several statements at once. */
export function insertText ({ table, name, row }: Sample): string {
  const entries = Object.entries(inDatabase(table, row))
  return `insert into ${name} (${entries.map(([column]) => column)}) values (${entries.map(([, value]) => literal(value))})`
}

function literal (value: Plain[string]): string {
  const text = value instanceof Date ? value.toISOString() : String(value)
  return `'${text.replaceAll('\'', '\'\'')}'`
}
