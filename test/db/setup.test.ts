// Roles and database on a server of one's own, as a superuser and as the administrator of a managed server.
import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import migrate from '../../src/commands/db-migrate.ts'
import setUp from '../../src/commands/db-setup.ts'
import { start } from '../../src/commands/start.ts'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/db/database.ts'
import { createTestData } from '../../src/testdata/create.ts'
import { printedBy, run } from '../support/cli.ts'
import { readServer, signing, urlAs } from '../support/server.ts'

async function scene (t: Test) {
  const server = await readServer()
  const root = postgres(server.adminUrl, { max: 1, onnotice: () => {} })
  const database = `rowhouse_test_${randomBytes(6).toString('hex')}`
  t.teardown(async () => {
    await root`drop database if exists ${root(database)} with (force)`
    await root.end()
  })
  return {
    root,
    database,
    environment: {
      DATABASE_URL: urlAs(server, 'rowhouse_app', database), OWNER_DATABASE_URL: urlAs(server, 'rowhouse_owner', database), ADMIN_DATABASE_URL: server.adminUrl
    }
  }
}

/** The commands, without processes of their own. */
function inThisProcess (t: Test, environment: Record<string, string>) {
  const config = loadConfig(environment, false)
  const { signal } = new AbortController()
  const one = { min: 1, max: 1 }
  const amounts = { users: one, projects: one, tasks: one, subtasks: one }
  return {
    setUp: () => printedBy(t, () => setUp(config)),
    migrate: () => printedBy(t, () => migrate(config)),
    start: () => start(config, signal),
    createTestData: (change: object = {}) => printedBy(t, async () => createTestData(config, await openDatabase(config), {
      accounts: 1, amounts, seed: 0, append: false, reset: false, rollback: false, quiet: false, ...change
    }))
  }
}

t.test('set up, migrate, and again', async t => {
  const { environment } = await scene(t)
  t.match(await run(t, ['db:setup'], environment), { code: 0, err: '', out: /are set up\. Next: npm run db:migrate\n$/ })
  t.match(await run(t, ['db:migrate'], environment), { code: 0, err: '', out: 'The database is up to date.' })
  const here = inThisProcess(t, environment)
  t.match(await here.setUp(), 'are set up.')
  t.match(await here.migrate(), 'The database is up to date.')
  t.match(await here.createTestData(), 'tenant-0 ')
})

t.test('an administrator who is no superuser cannot revoke set_config, so the context must be signed', async t => {
  const { root, environment } = await scene(t)
  const [{ version } = { version: 0 }] = await root`select current_setting('server_version_num')::int as version`
  await root.unsafe('drop role if exists rowhouse_test_manager; create role rowhouse_test_manager login createrole createdb password \'x\'')
  // in PostgreSQL 16 and later one must be given the roles that one did not make
  if (version >= 160000) await root.unsafe('grant rowhouse_owner, rowhouse_app to rowhouse_test_manager with admin option')
  t.teardown(async () => {
    await root.unsafe('drop owned by rowhouse_test_manager; drop role rowhouse_test_manager')
  })
  const ADMIN_DATABASE_URL = Object.assign(new URL(environment.ADMIN_DATABASE_URL), { username: 'rowhouse_test_manager', password: 'x' }).href
  const managed = { ...environment, ADMIN_DATABASE_URL, PORT: '0' }
  const here = inThisProcess(t, managed)
  t.match(await here.setUp(), /only with TENANT_SIGNING=on/)
  await here.migrate()
  await t.rejects(here.start(), { message: /^This database is not safe to serve from\. The app role may call set_config.*TENANT_SIGNING=on.*\(D28\) See: npm run doctor$/ })
  const signed = { ...managed, TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: signing.current }
  await inThisProcess(t, signed).migrate()
  t.match(await inThisProcess(t, signed).createTestData(), 'tenant-0 ')
  await t.rejects(inThisProcess(t, { ...signed, TENANT_SIGNING_KEY: signing.previous }).createTestData({ append: true }),
    { message: /^This database is not safe.*TENANT_SIGNING_KEY.*\(D40\) See: npm run doctor$/ }, 'another key')
})

t.test('what is missing is said in one line', async t => {
  const { environment } = await scene(t)
  const app = environment.DATABASE_URL.replace(/[^/]*$/, 'postgres')
  t.match(await run(t, ['db:setup'], { ...environment, ADMIN_DATABASE_URL: '' }), { code: 1, out: '', err: /^ADMIN_DATABASE_URL is not set\..*\n$/ })
  for (const [change, message] of [
    [{ OWNER_DATABASE_URL: '' }, /^OWNER_DATABASE_URL is not set\..*$/],
    [{ ADMIN_DATABASE_URL: app }, /^(ADMIN_DATABASE_URL names a role with too few rights|The server of ADMIN_DATABASE_URL cannot be used).*$/],
    [{ DATABASE_URL: 'postgres://somebody:x@127.0.0.1/x' }, /^DATABASE_URL names the user somebody, but must name rowhouse_app\.$/],
    [{ ADMIN_DATABASE_URL: 'postgres://postgres:x@127.0.0.1:1/postgres' }, /^.*nothing listens there.*$/]
  ] as const) await t.rejects(inThisProcess(t, { ...environment, ...change }).setUp(), { message })
})
