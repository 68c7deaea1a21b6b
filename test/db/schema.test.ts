// The rules that every table follows (README, "The rules"), read from the live catalogue; and that nothing has drifted.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { getTableName } from 'drizzle-orm'
import t from 'tap'
import { appendOnlyTables, tenantTables } from '../../src/db/schema.ts'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { testDatabase } from '../support/database.ts'

const names = tenantTables.map(getTableName)

t.test('the catalogue', async t => {
  const { admin, ownerUrl } = await testDatabase(t)

  t.test('every table is a tenant table, but for the directory', async t => {
    const tables = (await admin`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') order by 1`).map(row => row.relname)
    t.same(tables, [...names, 'directory'].toSorted())
  })

  t.test('account_id is the first column of every table, key, constraint and index', async t => {
    t.same(await admin`
      select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum = 1
       where c.relname = any(${names}) and (a.attname <> 'account_id' or not a.attnotnull or a.atttypid <> 'bigint'::regtype)`, [])
    t.same(await admin`
      select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
       where c.relname = any(${names}) and pg_get_indexdef(i.indexrelid, 1, false) <> 'account_id'`, [])
    t.same(await admin`
      select conname from pg_constraint k join pg_class c on c.oid = k.conrelid
       where c.relname = any(${names}) and k.contype in ('f', 'u', 'p')
         and (k.conkey[1] <> 1 or (k.contype = 'f' and k.confkey[1] <> 1))`, [])
  })

  t.test('foreign keys delete or refuse; nothing is deferred, triggered or too long a name', async t => {
    t.same(await admin`
      select conname from pg_constraint k join pg_class c on c.oid = k.conrelid
       where c.relnamespace = 'public'::regnamespace and (length(conname) > 50 or condeferrable or (contype = 'f' and confdeltype not in ('c', 'r', 'a')))`, [])
    t.same(await admin`select tgname from pg_trigger where not tgisinternal`, [])
  })

  t.test('the app role has four rights on tenant tables, two where it is only to add, and none elsewhere', async t => {
    const rights = await admin`
      select table_name, string_agg(privilege_type, ',' order by privilege_type) as rights from information_schema.role_table_grants
       where grantee in ('rowhouse_app', 'PUBLIC') and table_schema in ('public', 'tenancy') group by 1 order by 1`
    t.same(rights.map(row => ({ ...row })), names.toSorted().map(name =>
      ({ table_name: name, rights: appendOnlyTables().includes(name) ? 'INSERT,SELECT' : 'DELETE,INSERT,SELECT,UPDATE' })))
    const can = async (what: string) => (await admin.unsafe(`select ${what} as can`))[0]!.can
    for (const right of ["has_schema_privilege('rowhouse_app', 'public', 'create')", "has_schema_privilege('rowhouse_app', 'tenancy', 'create')",
      "has_database_privilege('rowhouse_app', current_database(), 'temp')", "has_database_privilege('rowhouse_app', current_database(), 'create')",
      "has_function_privilege('rowhouse_app', 'set_config(text,text,boolean)', 'execute')", "has_function_privilege('rowhouse_app', 'lo_from_bytea(oid,bytea)', 'execute')"
    ]) t.equal(await can(right), false, right)
  })

  t.test('the roles are what they must be, with their limits', async t => {
    const [app] = await admin`select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit, rolconfig from pg_roles where rolname = 'rowhouse_app'`
    t.match(app, { rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false })
    for (const limit of ['statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout', 'client_connection_check_interval']) {
      t.ok(app!.rolconfig.some((setting: string) => new RegExp(`^${limit}=[1-9]`).test(setting)), limit)
    }
    t.same(await admin`select relname from pg_class where pg_get_userbyid(relowner) = 'rowhouse_app'`, [])
  })

  t.test('migrating again changes nothing; a new table gets its walls by migrating', async t => {
    const state = () => admin`select c.relname, c.relacl::text, c.relforcerowsecurity from pg_class c where relnamespace = 'public'::regnamespace order by 1`
    const before = await state()
    await migrateDatabase(ownerUrl)
    t.same(await state(), before)

    await admin.unsafe(`
      set role rowhouse_owner;
      create table notes (account_id bigint not null, id uuid not null, primary key (account_id, id));
      create policy tenant_isolation on notes as restrictive to rowhouse_app using (account_id = tenancy.current_account()) with check (account_id = tenancy.current_account());
      reset role`)
    await migrateDatabase(ownerUrl)
    const [notes] = await admin`select relrowsecurity, relforcerowsecurity, relacl::text from pg_class where relname = 'notes'`
    t.match(notes, { relrowsecurity: true, relforcerowsecurity: true, relacl: /rowhouse_app=arwd\// })

    await admin.unsafe('grant update, delete on audit_log to rowhouse_app')
    await migrateDatabase(ownerUrl)
    const [log] = await admin`select relacl::text from pg_class where relname = 'audit_log'`
    t.match(log, { relacl: /rowhouse_app=ar\// })
  })
})

t.test('the generated SQL is what the schema says', async t => {
  const root = process.cwd()
  const copy = await mkdtemp(join(root, '.tap', 'drizzle-'))
  t.teardown(() => rm(copy, { recursive: true }))
  await cp(join(root, 'drizzle'), copy, { recursive: true })
  const before = await readdir(copy)
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(root, 'node_modules/drizzle-kit/bin.cjs'), 'generate', '--dialect=postgresql', '--schema=src/db/schema.ts', `--out=${relative(root, copy)}`
  ], { cwd: root })
  t.same(await readdir(copy), before, stdout)
})
