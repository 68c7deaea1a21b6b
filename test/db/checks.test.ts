// Each check of the boot is given the hole that it looks for, and the server does not start.
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { audit } from '../../src/db/checks.ts'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { startServer } from '../../src/server.ts'
import { createDirectory } from '../../src/tenancy/directory.ts'
import { slotOptions, testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { signing } from '../support/server.ts'

const config = (environment = {}) => loadConfig({ PORT: '0', HOST: '127.0.0.1', ...environment }, false)

t.test('a database as it should be', async t => {
  const database = await testDatabase(t)
  const directory = createDirectory(database.appUrl, slotOptions(database))
  t.teardown(() => directory.close())
  t.same(await audit({ directory, signing: undefined }), [])
})

t.test('holes', async t => {
  const { admin, appUrl, adminUrl, ownerUrl, bypassUrl } = await testDatabase(t)
  const isolation = 'account_id = tenancy.current_account()'
  const make = (clauses: string) => `create policy tenant_isolation on tasks ${clauses}`
  const drop = 'drop policy tenant_isolation on tasks'
  const good = make(`as restrictive to rowhouse_app using (${isolation}) with check (${isolation})`)
  const [{ walls } = { walls: '' }] = await admin`select obj_description('tenancy'::regnamespace, 'pg_namespace') as walls`
  const setConfig = 'execute on function pg_catalog.set_config(text, text, boolean)'
  const cases: { id: string, hole: string[], mend: string[], says: RegExp }[] = [
    { id: 'D04', hole: ['alter table tasks disable row level security'], mend: ['alter table tasks enable row level security'], says: /tasks has no row-level security/ },
    { id: 'D05', hole: ['alter table tasks no force row level security'], mend: ['alter table tasks force row level security'], says: /tasks does not FORCE/ },
    { id: 'D09', hole: [drop], mend: [good], says: /tasks does not have its two policies/ },
    { id: 'D09', hole: [drop, make(`as permissive to rowhouse_app using (${isolation}) with check (${isolation})`)], mend: [drop, good], says: /tasks/ },
    { id: 'D09', hole: [drop, make(`as restrictive to rowhouse_app using (${isolation} or true) with check (${isolation})`)], mend: [drop, good], says: /tasks/ },
    { id: 'D09', hole: [drop, make(`as restrictive for select to rowhouse_app using (${isolation})`)], mend: [drop, good], says: /tasks/ },
    { id: 'D09', hole: ['create policy stray on tasks using (true)'], mend: ['drop policy stray on tasks'], says: /tasks/ },
    { id: 'D03', hole: ['alter table tasks owner to rowhouse_app'], mend: ['alter table tasks owner to rowhouse_owner', 'grant select, insert, update, delete on tasks to rowhouse_app'], says: /owns tasks/ },
    { id: 'D28', hole: [`grant ${setConfig} to public`], mend: [`revoke ${setConfig} from public`], says: /set_config/ },
    { id: 'D41', hole: ["update drizzle.__drizzle_migrations set hash = 'x' || hash"], mend: ['update drizzle.__drizzle_migrations set hash = substr(hash, 2)'], says: /migrations are behind.*db:migrate/ },
    { id: 'D41', hole: ["comment on schema tenancy is 'walls of old'"], mend: [`comment on schema tenancy is '${walls}'`], says: /behind/ }
  ]
  for (const { id, hole, mend, says } of cases) {
    for (const statement of hole) await admin.unsafe(statement)
    await t.rejects(startServer(config(), appUrl, false), { message: new RegExp(`not safe to serve from.*${says.source}.*\\(${id}\\)$`) }, hole.at(-1)!)
    for (const statement of mend) await admin.unsafe(statement)
  }
  await t.rejects(startServer(config(), adminUrl, false), { message: /superuser.*\(D01\)$/ })
  await t.rejects(startServer(config(), bypassUrl, false), { message: /BYPASSRLS.*\(D01\)$/ })
  await t.rejects(startServer(config(), ownerUrl, false), { message: /rowhouse_owner owns .*\(D03\)$/ })
  await t.rejects(startServer(config({ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: signing.current }), appUrl, false), { message: /unsigned tenant context/ })
})

t.test('a database that was never migrated, or is not there', async t => {
  const { admin, appUrl } = (await testDatabase(t)).direct // it is PostgreSQL's refusals that we translate
  await admin.unsafe('drop schema drizzle cascade')
  await t.rejects(startServer(config(), appUrl, false), { message: /migrations are behind.*db:migrate.*D41/ })
  await t.rejects(startServer(config(), 'postgres://rowhouse_app:x@127.0.0.1:1/x', false), { message: 'The server of DATABASE_URL cannot be used: nothing listens there.' })
  await t.rejects(startServer(config(), appUrl.replace(/:[^:@]*@/, ':wrong@'), false), { message: /the password is wrong/ })
  await t.rejects(startServer(config(), `${appUrl}_not`, false), { message: /no such database/ })
})

t.test('a database that needs signed contexts does not lose them by migrating without', async t => {
  const { admin, ownerUrl } = await testDatabase(t, 'signed')
  const signed = async () => (await admin`select prosecdef from pg_proc where proname = 'current_account'`)[0]!.prosecdef
  await t.rejects(migrateDatabase(ownerUrl), { message: /takes signed tenant contexts only.*TENANT_SIGNING=on/ })
  t.equal(await signed(), true)
  await admin.unsafe('revoke execute on function pg_catalog.set_config(text, text, boolean) from public')
  await migrateDatabase(ownerUrl)
  t.equal(await signed(), false, 'with set_config revoked it may')
})

t.test('a signed database wants a signing program', async t => {
  const { appUrl } = await testDatabase(t, 'signed')
  await t.rejects(startServer(config(), appUrl, false), { message: /set_config|a signed tenant context/ })
  const other = { TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: 'a-key-that-this-database-does-not-know' }
  await t.rejects(startServer(config(other), appUrl, false), { message: /does not accept.*TENANT_SIGNING_KEY.*db:migrate.*\(D40\)$/ })
})

t.test('/healthz is the process, /readyz the database and its walls', async t => {
  const database = await testDatabase(t)
  const site = await testSite(t, database)
  const status = async (path: string) => (await site.get('anything', path)).status
  t.same([await status('/healthz'), await status('/readyz')], [200, 200])
  await database.admin.unsafe('drop policy tenant_isolation on tasks')
  await new Promise(resolve => setTimeout(resolve, 1_100)) // an answer is good for a second
  t.same([await status('/healthz'), await status('/readyz')], [200, 503])
})
