// The wall with one part of it missing: every way that we could think of, generated for each table from the schema. For each verb and
// each context there is one that only its probes can see (test/prove/mutate.test.ts works that out), so none of them can be left out.
import { getTableName } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { roleNames } from '../db/roles.ts'
import { tenantTables } from '../db/schema.ts'
import { type TenantTable, isChangeable } from '../db/tenant-table.ts'
import { CommandError } from '../errors.ts'
import type { Facts } from './facts.ts'
import { parentsOf } from './samples.ts'

export interface Mutant {
  /** What is missing or added, of which table if it is one table's. */
  readonly what: string
  readonly table?: string
  readonly statements: string[]
}

const { app, owner } = roleNames
const isolation = 'account_id = tenancy.current_account()'

export const mutantsOf = (facts: Facts): Mutant[] => [
  ...tenantTables.flatMap(table => ofTable(table).map(mutant => ({ ...mutant, table: getTableName(table) }))),
  ...facts.closed.flatMap(ofClosed),
  ...ofRole,
  ...facts.lock.signed ? signedBodies(facts.functions['tenancy.current_account()']!) : unsignedBodies,
  ...!facts.lock.signed ? [{ what: 'set_config granted', statements: [`grant execute on function pg_catalog.set_config(text, text, boolean) to ${app}`] }] : [],
  {
    what: 'tenancy.enter() lets a transaction change its tenant',
    statements: ['create or replace function tenancy.enter(context text) returns void language plpgsql as $$ begin execute format(\'set local app.current_tenant = %L\', context); end $$']
  }
]

function ofTable (table: TenantTable): Omit<Mutant, 'table'>[] {
  const name = getTableName(table)
  const drop = `drop policy tenant_isolation on ${name}`
  const policy = (using: string, check = using, as = 'restrictive') =>
    `create policy tenant_isolation on ${name} as ${as} to ${app} using (${using}) with check (${check})`
  const or = (condition: string) => [drop, policy(`${isolation} or ${condition}`)]
  const setting = 'current_setting(\'app.current_tenant\', true)'
  return [
    { what: 'no policy', statements: [drop] },
    { what: 'no permissive policy (dead)', statements: [`drop policy tenant_access on ${name}`] },
    { what: 'PERMISSIVE instead of RESTRICTIVE', statements: [drop, policy(isolation, isolation, 'permissive')] },
    { what: 'using (true)', statements: [drop, policy('true', isolation)] },
    { what: 'with check (true)', statements: [drop, policy(isolation, 'true')] },
    { what: 'open if another tenant is set', statements: or('tenancy.current_account() is not null') },
    { what: 'open if no tenant is set', statements: or(`${setting} is null`) },
    { what: 'open if the tenant is empty', statements: or(`${setting} = ''`) },
    ...openCommands(name, isChangeable(table) ? [] : ['update', 'delete']),
    ...isChangeable(table) ? [] : ['update', 'delete'].map(right => ({ what: `${right} granted`, statements: [`grant ${right} on ${name} to ${app}`] })),
    { what: 'row-level security disabled', statements: [`alter table ${name} disable row level security`] },
    { what: 'a permissive policy for everybody, the owner too', statements: [`create policy stray on ${name} using (true)`] },
    { what: 'no FORCE', statements: [`alter table ${name} no force row level security`] },
    { what: 'TRUNCATE granted', statements: [`grant truncate on ${name} to ${app}`] },
    { what: 'owned by the app role', statements: [`alter table ${name} owner to ${app}`] },
    ...parentsOf(table).map(({ parent }) => singleKey(table, getTableName(parent)))
  ]
}

/**
 * A policy for each command, as one might write them by hand, and one of them wrong.
 * @param refused to which the grants hold a wall of their own, so that they may be wrong
 */
function openCommands (table: string, refused: string[]): Omit<Mutant, 'table'>[] {
  const clauses = { select: ['using'], insert: ['with check'], update: ['using', 'with check'], delete: ['using'] }
  return Object.entries(clauses).filter(([open]) => !refused.includes(open)).flatMap(([open, mistakes]) => mistakes.map(mistake => ({
    what: `${open} ${mistake} (true)`,
    statements: [
      `drop policy tenant_isolation on ${table}`,
      ...Object.entries(clauses).map(([command, parts]) => `create policy ${command}_isolation on ${table} as restrictive for ${command} to ${app} ` +
        parts.map(part => `${part} (${command === open && part === mistake ? 'true' : isolation})`).join(' '))
    ]
  })))
}

/** PostgreSQL checks foreign keys without row-level security. */
function singleKey (table: TenantTable, parent: string): Omit<Mutant, 'table'> {
  const key = getTableConfig(table).foreignKeys.find(each => getTableName(each.reference().foreignTable) === parent)!
  const [name, column] = [key.getName(), key.reference().columns[1]!.name]
  return {
    what: `a key to ${parent} by the id alone`,
    statements: [
      `alter table ${parent} add constraint single_key unique (id)`,
      `alter table ${getTableName(table)} drop constraint ${name}, add constraint ${name} foreign key (${column}) references ${parent} (id) not valid`
    ]
  }
}

const ofClosed = ({ name, writable }: Facts['closed'][0]): Mutant[] =>
  ['select', ...writable ? ['insert', 'update', 'delete', 'truncate'] : []].map(right => ({
    what: `${right} granted`, table: name, statements: [`grant ${right} on ${name} to ${app}`]
  }))

const ofRole: Mutant[] = [
  { what: 'the app role has BYPASSRLS', statements: [`alter role ${app} bypassrls`] },
  { what: 'the app role is a superuser', statements: [`alter role ${app} superuser`] },
  { what: 'the app role is a member of the owner', statements: [`alter role ${app} inherit`, `grant ${owner} to ${app}`] }
]

/** A body that takes some contexts for what stands before a separator, and all others as it should. */
const lenient = (what: string, condition: string, separator = '.'): Mutant => ({
  what: `tenancy.current_account() ${what}`,
  statements: [`create or replace function tenancy.current_account() returns bigint language sql stable parallel safe as $$
    select case when ${condition} then split_part(c, '${separator}', 1) else c end::bigint
      from (select c, nullif(split_part(c, '.', 2), '')::bigint as expiry, extract(epoch from now()) as now
              from nullif(current_setting('app.current_tenant', true), '') c) context $$`]
})

const unsignedBodies: Mutant[] = [
  lenient('reads as far as it can', 'c like \'%;%\'', ';'),
  lenient('believes an expiry without a signature', 'expiry > now'),
  lenient('takes expiry 0 for never', 'expiry = 0'),
  lenient('takes a context of the last hour', 'expiry between now - 3600 and now')
]

function signedBodies (body: string): Mutant[] {
  const changed = (what: string, pattern: RegExp, replacement: string): Mutant => {
    const statement = body.replace(pattern, replacement)
    if (statement === body) throw new CommandError(`src/prove/mutants.ts does not know this body of tenancy.current_account(): it finds no ${pattern}.`)
    return { what: `tenancy.current_account() ${what}`, statements: [statement] }
  }
  return [
    changed('reads as far as it can', /part := string_to_array/, 'if context like \'%;%\' then return split_part(context, \';\', 1)::bigint; end if; $&'),
    changed('does not check the signature', /if \(part\[3\] in [\s\S]*?end if;/, ''),
    changed('does not check the expiry', /if part\[2\]::bigint < [\s\S]*?end if;/, ''),
    changed('takes expiry 0 for never', /if part\[2\]::bigint < /, 'if part[2]::bigint <> 0 and part[2]::bigint < '),
    changed('takes a context of the last hour', /extract\(epoch from now\(\)\)/, '$& - 3600')
  ]
}
