// What one account has, in memory, worked out from the schema: a new tenant table is fuzzed without anyone adding it here.
import { getTableColumns, getTableName } from 'drizzle-orm'
import { type AnyPgColumn, getTableConfig } from 'drizzle-orm/pg-core'
import { v7 } from 'uuid'
import { tenantTables } from '../../src/db/schema.ts'
import type { TenantTable } from '../../src/db/tenant-table.ts'
import type { AccountId } from '../../src/tenancy/account.ts'
import { canary } from '../support/canary.ts'
import { parentsOf } from '../../src/prove/samples.ts'

export type Row = Record<string, unknown> & { readonly id: string }

export interface Kind {
  readonly table: TenantTable
  readonly name: string
  /** By the program's names; the account is not among them. */
  readonly columns: Record<string, AnyPgColumn>
  /** The columns that name a parent, and the parent's table. */
  readonly parents: { readonly column: string, readonly parent: string }[]
  /** A text column that may be the same in many rows. */
  readonly text: string | undefined
  readonly number: string | undefined
}

/** Every tenant table with rows of its own, parents first. */
export const kinds: readonly Kind[] = tenantTables.filter(table => 'id' in getTableColumns(table)).map(table => {
  const { accountId: _, ...columns } = getTableColumns(table) as Record<string, AnyPgColumn>
  const config = getTableConfig(table)
  const unique = config.uniqueConstraints.flatMap(constraint => constraint.columns.map(column => column.name))
  const parents = parentsOf(table).map(({ column, parent }) => ({ column, parent: getTableName(parent) }))
  const free = (type: string) =>
    Object.keys(columns).find(name => columns[name]!.getSQLType() === type && !columns[name]!.enumValues && !unique.includes(columns[name]!.name))
  return { table, name: config.name, columns, parents, text: free('text'), number: free('integer') }
})

/** The rows of an account: by table, by id. */
export class State {
  readonly #rows: Map<string, Map<string, Row>>

  constructor (rows = new Map(kinds.map(({ name }) => [name, new Map<string, Row>()]))) {
    this.#rows = rows
  }

  copy = (): State => new State(new Map([...this.#rows].map(([name, rows]) => [name, new Map(rows)])))

  tables = (): Map<string, Row[]> => new Map(kinds.map(({ name }) => [name, this.of(name)]))
  of = (name: string): Row[] => [...this.#rows.get(name)!.values()]
  has = (name: string, id: unknown): boolean => this.#rows.get(name)!.has(id as string)
  get = (name: string, id: unknown): Row | undefined => this.#rows.get(name)!.get(id as string)
  put = (name: string, row: Row): void => { this.#rows.get(name)!.set(row.id, row) }

  /** With all that belongs to it. */
  delete (name: string, id: string): void {
    this.#rows.get(name)!.delete(id)
    for (const child of kinds) {
      for (const { column } of child.parents.filter(({ parent }) => parent === name)) {
        for (const row of this.of(child.name)) if (row[column] === id) this.delete(child.name, row.id)
      }
    }
  }
}

/** A row of this kind, every column filled, its texts canaries. */
export function newRow ({ columns, parents }: Kind, account: AccountId, links: Record<string, string>, id = v7()): Row {
  const values: Record<string, () => unknown> = {
    string: () => canary(account), number: () => 1, boolean: () => false, date: () => new Date(0), json: () => ({ text: canary(account) })
  }
  const row: Record<string, unknown> = { id }
  for (const [name, column] of Object.entries(columns)) {
    if (name === 'id') continue
    const make = column.getSQLType() === 'uuid' ? v7 : values[column.dataType]
    if (!make) throw new Error(`Tell newRow() what a ${column.getSQLType()} (${column.name}) may be.`)
    row[name] = parents.some(parent => parent.column === name) ? links[name] : column.enumValues?.[0] ?? make()
  }
  return row as Row
}
