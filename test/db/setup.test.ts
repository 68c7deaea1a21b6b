// Roles and database on a server of one's own, as a superuser and as the administrator of a managed server.
import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { run } from '../support/cli.ts'
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

t.test('set up, migrate, and again', async t => {
  const { environment } = await scene(t)
  for (const time of ['first', 'second']) {
    t.match(await run(t, ['db:setup'], environment), { code: 0, err: '', out: /are set up\. Next: npm run db:migrate/ }, time)
    t.match(await run(t, ['db:migrate'], environment), { code: 0, err: '', out: 'The database is up to date.' }, time)
  }
  t.match(await run(t, ['createtestdata', '--max-projects', '1'], environment), { code: 0, err: '' })
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
  t.match(await run(t, ['db:setup'], managed), { code: 0, err: '', out: /only with TENANT_SIGNING=on/ })
  const signed = { ...managed, TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: signing.current }
  t.match(await run(t, ['db:migrate'], managed), { code: 0 })
  t.match(await run(t, ['start'], managed), { code: 1, err: /^This database is not safe to serve from\. The app role may call set_config.*TENANT_SIGNING=on.*\(D28\) See: npm run doctor\n$/ })
  t.match(await run(t, ['db:migrate'], signed), { code: 0 })
  t.match(await run(t, ['createtestdata', '--max-projects', '1'], signed), { code: 0, err: '' })
  t.match(await run(t, ['createtestdata', '--append'], { ...signed, TENANT_SIGNING_KEY: signing.previous }), { code: 1, err: /^This database is not safe.*TENANT_SIGNING_KEY.*\(D40\) See: npm run doctor\n$/ }, 'another key')
})

t.test('what is missing is said in one line', async t => {
  const { environment } = await scene(t)
  const fails = async (change: Record<string, string>, message: RegExp) => {
    const { code, out, err } = await run(t, ['db:setup'], { ...environment, ...change })
    t.same([code, out], [1, ''])
    t.match(err, message)
    t.equal(err.trim().split('\n').length, 1, err)
  }
  await fails({ ADMIN_DATABASE_URL: '' }, /^ADMIN_DATABASE_URL is not set\./)
  await fails({ OWNER_DATABASE_URL: '' }, /^OWNER_DATABASE_URL is not set\./)
  await fails({ ADMIN_DATABASE_URL: environment.DATABASE_URL.replace(/[^/]*$/, 'postgres') }, /^(ADMIN_DATABASE_URL names a role with too few rights|The server of ADMIN_DATABASE_URL cannot be used)/)
  await fails({ DATABASE_URL: 'postgres://somebody:x@127.0.0.1/x' }, /^DATABASE_URL names the user somebody, but must name rowhouse_app\.$/m)
  await fails({ ADMIN_DATABASE_URL: 'postgres://postgres:x@127.0.0.1:1/postgres' }, /nothing listens there/)
})
