// "Tenanted" is defined here and nowhere else: a table made by tenantTable() starts with account_id, keys by it, carries both
// policies, and is a TenantTable to the type checker. drizzle/walls.sql adds what drizzle-kit cannot write (FORCE, grants).
import { type BuildColumns, type BuildExtraConfigColumns, getTableColumns, getTableName, sql } from 'drizzle-orm'
import {
  type PgColumn, type PgColumnBuilderBase, type PgTable, type PgTableExtraConfigValue, type PgTableWithColumns, ForeignKeyBuilder,
  bigint, foreignKey, index, pgPolicy, pgRole, pgTable, primaryKey, uuid
} from 'drizzle-orm/pg-core'

const brand = Symbol('rowhouse.tenanted')

/** What may become of a row once it is there. Where it may only be read, the grants of drizzle/walls.sql say so, too. */
type Kind = 'changeable' | 'append-only'

/** A table whose every row belongs to one account. Only these are accepted by the scoped helpers. */
export type TenantTable = PgTable & { readonly [brand]: Kind, readonly accountId: PgColumn }
/** One whose rows the helpers may also change and delete. */
export type ChangeableTable = TenantTable & { readonly [brand]: 'changeable' }

/** Every tenant table that is defined, in order of definition (parents first): for checks, tests and tools that cover them all. */
export const tenantTables: TenantTable[] = []

export const isChangeable = (table: TenantTable): table is ChangeableTable => table[brand] === 'changeable'

/** The names of those that are only added to: what a migration tells drizzle/walls.sql, and what the doctor looks at. */
export const appendOnlyTables = (): string[] => tenantTables.filter(table => !isChangeable(table)).map(getTableName)

function tenanted<T extends PgTable, K extends Kind> (table: T, kind: K): T & { readonly [brand]: K } {
  const marked = Object.assign(table, { [brand]: kind })
  tenantTables.push(marked as unknown as TenantTable)
  return marked
}

export const appRole = pgRole('rowhouse_app').existing()
const ownerRole = pgRole('rowhouse_owner').existing()

/** The id of an account: a positive integer below 2^53. */
const accountId = () => bigint('account_id', { mode: 'number' }).notNull()

type Columns = Record<string, PgColumnBuilderBase>
type Extra<Name extends string, C extends Columns> = (self: BuildExtraConfigColumns<Name, C, 'pg'>) => PgTableExtraConfigValue[]
type Tenanted<Name extends string, C extends Columns, K extends Kind = 'changeable'> = PgTableWithColumns<{
  name: Name, schema: undefined, columns: BuildColumns<Name, C, 'pg'>, dialect: 'pg'
}> & { readonly [brand]: K }

type AccountColumn = { accountId: ReturnType<typeof accountId> }
type RowColumns = AccountColumn & { id: ReturnType<typeof rowId> }
const rowId = () => uuid('id').notNull()

/**
 * A table of many rows for each account, keyed by (account_id, id). The id is a UUID v7, made by the application.
 * A table that names no parent with belongsTo() belongs to its account directly.
 */
export function tenantTable<Name extends string, C extends Columns> (
  name: Name, columns: C, extra?: Extra<Name, RowColumns & C>
): Tenanted<Name, RowColumns & C> {
  return tenanted(tableOfRows(name, columns, extra), 'changeable')
}

/** The same, but its rows stay as they were written: the application adds and reads them, no more. They go with what they belong to. */
export function appendOnlyTable<Name extends string, C extends Columns> (
  name: Name, columns: C, extra?: Extra<Name, RowColumns & C>
): Tenanted<Name, RowColumns & C, 'append-only'> {
  return tenanted(tableOfRows(name, columns, extra), 'append-only')
}

function tableOfRows<Name extends string, C extends Columns> (name: Name, columns: C, extra?: Extra<Name, RowColumns & C>) {
  return pgTable(name, { accountId: accountId(), id: rowId(), ...columns } as RowColumns & C, self => {
    const t = self as unknown as Record<string, PgColumn>
    const given = extra?.(self) ?? []
    return [
      primaryKey({ name: `${name}_pk`, columns: [t.accountId!, t.id!] }),
      ...(given.some(item => item instanceof ForeignKeyBuilder) ? [] : [belongsToAccount(name, t.accountId!)]),
      ...given,
      ...policies()
    ]
  })
}

/** The table of accounts itself: one row for each account, which the account sees as its own and only one. */
export function accountTable<Name extends string, C extends Columns> (
  name: Name, columns: C, extra?: Extra<Name, AccountColumn & C>
): Tenanted<Name, AccountColumn & C> {
  const table = pgTable(name, { accountId: accountId(), ...columns } as AccountColumn & C, self => [
    primaryKey({ name: `${name}_pk`, columns: [(self as unknown as Record<string, PgColumn>).accountId!] }),
    ...(extra?.(self) ?? []),
    ...policies(),
    // tenancy.resolve(hosts) runs as the owner, whom FORCE binds too: it may read which accounts there are, and nothing else
    pgPolicy('directory_lookup', { as: 'permissive', for: 'select', to: ownerRole, using: sql.raw('true') })
  ])
  accounts = table
  return tenanted(table, 'changeable')
}

let accounts: PgTable | undefined

/**
 * A reference to a row of the same account. The key is composite, because PostgreSQL checks foreign keys without row-level
 * security: a key on the id alone would let one account reference, and by cascade delete, the rows of another.
 */
export function belongsTo (t: { accountId: unknown }, column: unknown, parent: TenantTable & { id: PgColumn }): PgTableExtraConfigValue[] {
  const child = column as PgColumn
  const name = `${getTableName(child.table)}_${child.name}`
  return [
    foreignKey({
      name: `${name}_fk`,
      columns: [t.accountId as PgColumn, child],
      foreignColumns: [parent.accountId, parent.id]
    }).onDelete('cascade'),
    index(`${name}_idx`).on(t.accountId as PgColumn, child)
  ]
}

function belongsToAccount (name: string, column: PgColumn) {
  if (!accounts) throw new Error(`Define the table of accounts before "${name}".`)
  return foreignKey({
    name: `${name}_account_fk`, columns: [column], foreignColumns: [getTableColumns(accounts).accountId as PgColumn]
  }).onDelete('cascade')
}

/**
 * RESTRICTIVE first: policies that only permit are OR-ed together, so one stray permissive policy would open the table.
 * The permissive one grants what the restrictive one leaves. No subquery in either: Citus refuses it.
 */
function policies () {
  const own = sql.raw('account_id = tenancy.current_account()')
  return [
    pgPolicy('tenant_isolation', { as: 'restrictive', for: 'all', to: appRole, using: own, withCheck: own }),
    pgPolicy('tenant_access', { as: 'permissive', for: 'all', to: appRole, using: sql.raw('true'), withCheck: sql.raw('true') })
  ]
}
