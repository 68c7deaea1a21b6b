// Each part of the second wall is taken down, one at a time, and the probes must notice. A probe that cannot fail proves nothing.
import { getTableName } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import t from 'tap'
import { tenantTables } from '../../src/db/schema.ts'
import { testDatabase } from '../support/database.ts'
import { leaks } from '../support/probes.ts'
import { parentsOf, plant } from '../support/rows.ts'
import type { Lock } from '../support/server.ts'

interface Mutation { readonly what: string, readonly lock: Lock, readonly apply: string[], readonly undo: string[] }

const isolation = 'account_id = tenancy.current_account()'
const create = (table: string, as: string, expression: string) =>
  `create policy tenant_isolation on ${table} as ${as} for all to rowhouse_app using (${expression}) with check (${expression})`

const ofTables: Mutation[] = tenantTables.flatMap(table => {
  const name = getTableName(table)
  const drop = `drop policy tenant_isolation on ${name}`
  const restore = create(name, 'restrictive', isolation)
  return [
    { what: 'the policy', apply: [drop], undo: [restore] },
    { what: 'the permissive policy', apply: [`drop policy tenant_access on ${name}`], undo: [`create policy tenant_access on ${name} to rowhouse_app using (true) with check (true)`] },
    { what: 'RESTRICTIVE', apply: [drop, create(name, 'permissive', isolation)], undo: [drop, restore] },
    { what: 'the policy\'s condition', apply: [drop, create(name, 'restrictive', 'true')], undo: [drop, restore] },
    { what: 'the policy\'s check', apply: [`alter policy tenant_isolation on ${name} with check (true)`], undo: [`alter policy tenant_isolation on ${name} with check (${isolation})`] },
    { what: 'row-level security', apply: [`alter table ${name} disable row level security`], undo: [`alter table ${name} enable row level security`] },
    { what: 'FORCE', apply: [`alter table ${name} no force row level security`], undo: [`alter table ${name} force row level security`] },
    { what: 'the refusal of TRUNCATE', apply: tenantTables.map(each => `grant truncate on ${getTableName(each)} to rowhouse_app`), undo: tenantTables.map(each => `revoke truncate on ${getTableName(each)} from rowhouse_app`) },
    ...parentsOf(table).map(({ parent }) => {
      const to = getTableName(parent)
      const { key, column } = foreignKeyTo(table, to)
      return {
        what: `the composite key to ${to}`,
        apply: [
          `alter table ${to} add constraint single unique (id)`,
          `alter table ${name} drop constraint ${key}, add constraint ${key} foreign key (${column}) references ${to} (id)`
        ],
        undo: [
          `alter table ${name} drop constraint ${key}, add constraint ${key} foreign key (account_id, ${column}) references ${to} (account_id, id) on delete cascade`,
          `alter table ${to} drop constraint single`
        ]
      }
    })
  ].map(mutation => ({ ...mutation, what: `${mutation.what} of ${name}`, lock: 'revoked' as const }))
})

const setConfig = 'execute on function pg_catalog.set_config(text, text, boolean)'
const unsigned = (body: string) => `create or replace function tenancy.current_account() returns bigint language sql stable as $$ ${body} $$`

const ofFunctions: Mutation[] = [
  { what: 'the revoked set_config', lock: 'revoked', apply: [`grant ${setConfig} to public`], undo: [`revoke ${setConfig} from public`] },
  {
    what: 'the refusal of a second tenant',
    lock: 'revoked',
    apply: ['create or replace function tenancy.enter(context text) returns void language plpgsql as $$ begin execute format(\'set local app.current_tenant = %L\', context); end $$'],
    undo: []
  },
  {
    what: 'the signature check',
    lock: 'signed',
    apply: [unsigned('select nullif(split_part(current_setting(\'app.current_tenant\', true), \'.\', 1), \'\')::bigint')],
    undo: []
  }
]

for (const lock of ['revoked', 'signed'] as const) {
  t.test(`the probes see every hole (lock: ${lock})`, async t => {
    const { admin } = await testDatabase(t, lock)
    const planted = await plant(admin, 1 as never, 2 as never)
    for (const { what, apply, undo } of [...ofTables, ...ofFunctions].filter(mutation => mutation.lock === lock)) {
      for (const statement of apply) await admin.unsafe(statement)
      const { value: leak } = await leaks({ lock, sql: admin, asRole: 'rowhouse_app', planted }).next()
      t.ok(leak, `without ${what}: ${leak}`)
      for (const statement of undo) await admin.unsafe(statement)
    }
  })
}

t.test('without the expiry check, an expired context is seen', async t => {
  const { admin } = await testDatabase(t, 'signed')
  const planted = await plant(admin, 1 as never, 2 as never)
  const [{ source } = { source: '' }] = await admin`select pg_get_functiondef('tenancy.current_account()'::regprocedure) as source`
  await admin.unsafe((source as string).replace(/if part\[2\]::bigint[\s\S]*?end if;/, ''))
  const { value: leak } = await leaks({ lock: 'signed', sql: admin, asRole: 'rowhouse_app', planted }).next()
  t.match(leak, / · expired: /)
})

function foreignKeyTo (table: typeof tenantTables[0], parent: string) {
  const key = getTableConfig(table).foreignKeys.find(each => getTableName(each.reference().foreignTable) === parent)!
  return { key: key.getName(), column: key.reference().columns[1]!.name }
}
