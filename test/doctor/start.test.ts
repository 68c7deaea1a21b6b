// The server does not start on a database that is not safe, and says so when one ceases to be.
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { startServer } from '../../src/server.ts'
import { testDatabase } from '../support/database.ts'
import { signing } from '../support/server.ts'

const config = (environment = {}) => loadConfig({ PORT: '0', HOST: '127.0.0.1', ...environment }, false)

t.test('what is critical stops the start, in one line; what is high does not', async t => {
  const { admin, appUrl, adminUrl, ownerUrl, bypassUrl } = await testDatabase(t)
  const [{ walls } = { walls: '' }] = await admin`select obj_description('tenancy'::regnamespace, 'pg_namespace') as walls`
  const setConfig = 'execute on function pg_catalog.set_config(text, text, boolean)'
  const cases: { id: string, hole: string, mend: string, says: RegExp }[] = [
    { id: 'D04', hole: 'alter table tasks disable row level security', mend: 'alter table tasks enable row level security', says: /tasks has no row-level security/ },
    { id: 'D05', hole: 'alter table tasks no force row level security', mend: 'alter table tasks force row level security', says: /tasks does not FORCE/ },
    { id: 'D08', hole: 'create policy stray on tasks using (true)', mend: 'drop policy stray on tasks', says: /policy stray of tasks says using true.*drop policy stray on tasks;.*create policy tenant_isolation/ },
    { id: 'D09', hole: 'alter policy tenant_access on tasks to public', mend: 'alter policy tenant_access on tasks to rowhouse_app', says: /tasks does not have its two policies, but .*to public/ },
    { id: 'D28', hole: `grant ${setConfig} to public`, mend: `revoke ${setConfig} from public`, says: /set_config.*db:setup/ },
    { id: 'D41', hole: "comment on schema tenancy is 'walls of old'", mend: `comment on schema tenancy is '${walls}'`, says: /migrations are behind.*db:migrate/ }
  ]
  for (const { id, hole, mend, says } of cases) {
    await admin.unsafe(hole)
    await t.rejects(startServer(config(), appUrl, false), { message: new RegExp(`^This database is not safe to serve from. .*${says.source}.*\\(${id}\\)`) }, hole)
    await admin.unsafe(mend)
  }
  await t.rejects(startServer(config(), adminUrl, false), { message: /superuser.*\(D01\)/ })
  await t.rejects(startServer(config(), bypassUrl, false), { message: /BYPASSRLS.*\(D01\)/ })
  await t.rejects(startServer(config(), ownerUrl, false), { message: /rowhouse_owner owns .*\(D03\)/ })
  await t.rejects(startServer(config({ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: signing.current }), appUrl, false), { message: /current_account is not .* with TENANT_SIGNING on.*D08/ })

  await admin.unsafe('create unique index once on users (email)') // D12, high
  await (await startServer(config(), appUrl, false)).close()
})

t.test('a database that was never migrated, or is not there', async t => {
  const { admin, appUrl } = await testDatabase(t)
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
  await t.rejects(startServer(config(), appUrl, false), { message: /TENANT_SIGNING off.*D08/ })
  const other = { TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: 'a-key-that-this-database-does-not-know' }
  await t.rejects(startServer(config(other), appUrl, false), { message: /does not accept.*TENANT_SIGNING_KEY.*db:migrate.*\(D40\)/ })
})

t.test('F37: a policy that disappears while we serve turns /readyz red, and the log says which', async t => {
  const database = await testDatabase(t)
  const lines: string[] = []
  const server = await startServer(config(), database.appUrl, { level: 'info', stream: { write: line => { lines.push(line) } } }, { lookEvery: 50 })
  t.teardown(() => server.close())
  const status = async (url: string) => (await server.app.inject({ url, headers: { host: 'anything' } })).statusCode
  const until = async (wanted: number) => {
    for (const end = Date.now() + 10_000; await status('/readyz') !== wanted; await new Promise(resolve => setTimeout(resolve, 20))) {
      if (Date.now() > end) throw new Error(`/readyz never was ${wanted}`)
    }
  }
  t.equal(await status('/readyz'), 200)
  await database.admin.unsafe('alter policy tenant_isolation on tasks using (true)')
  await until(503)
  t.equal(await status('/healthz'), 200, 'the process is well')
  t.match(lines.find(line => line.includes('walls_down')), /"level":60.*tenant_isolation of tasks says using true.*\(D08\)/)
  await database.admin.unsafe('alter policy tenant_isolation on tasks using (account_id = tenancy.current_account())')
  await until(200)
  t.equal(lines.filter(line => line.includes('walls_')).length, 2, 'each change is told once')
})
