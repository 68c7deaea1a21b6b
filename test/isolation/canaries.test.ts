// The test client's hook sees a canary wherever one may not be: with a leak planted, the request itself fails.
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { furnish } from '../support/accounts.ts'
import { mustBeDiscreet } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { watchLeaks } from '../support/leaks.ts'
import { collectRoutes } from '../support/routes.ts'
import { asSignedIn } from '../support/signed-in.ts'

async function scene (t: Test, plant: (scope: FastifyInstance, theirs: string, ours: string) => void) {
  const database = await testDatabase(t)
  const [ours, theirs] = await furnish(t, database, 1, 1)
  collectRoutes(t, scope => plant(scope, theirs!.tasks[0]!.name, ours!.tasks[0]!.name))
  return testSite(t, database)
}
const leak = { name: 'Leak' }
const host = 'tenant-0.localhost'
const raw = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${asSignedIn(host).cookie}\r\nConnection: close\r\n\r\n`

t.test('what furnish() writes is full of canaries', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1, 1)
  const rows = await database.admin`select u::text || p::text || t::text || s::text as row from users u, projects p, tasks t, subtasks s
    where u.account_id = 2 and p.account_id = 2 and t.account_id = 2 and s.account_id = 2`
  t.equal(rows[0]!.row.match(/ cnry_2_[0-9a-f]{10}_\d+/g).length, 10, 'each text column of each table')
})

t.test('in a body, a header, a status line, a page in raw bytes', async t => {
  const site = await scene(t, (scope, theirs, ours) => {
    scope.get('/own', async () => ours)
    scope.get('/body', async () => ({ deep: [{ down: theirs }] }))
    scope.get('/header', async (_, reply) => reply.header('x-name', theirs).send('ok'))
    scope.get('/status', async (_, reply) => {
      reply.raw.statusMessage = theirs
      return 'ok'
    })
    scope.get('/error', async (_, reply) => reply.code(500).send(theirs))
  })
  t.equal((await site.get(host, '/own')).status, 200)
  t.match(await site.raw(raw('/own')), /cnry_1_/)
  for (const path of ['/body', '/header', '/status', '/error']) {
    await t.rejects(site.get(host, path), leak, path)
    await t.rejects(site.raw(raw(path)), leak, path)
    await t.rejects(site.get('tenant-0.localhost:3000', path, { headers: { 'x-forwarded-host': 'tenant-1.localhost' } }), leak, 'nobody says who it is')
    t.equal((await site.get('TENANT-1.localhost.', path)).status, path === '/error' ? 500 : 200, 'whose it is may see it')
  }
})

t.test('in the log, be it one\'s own; and a password or a cookie there', async t => {
  const site = await scene(t, (scope, _, ours) => {
    scope.get('/name', async request => request.log.trace({ name: ours }, 'seen'))
    scope.get('/cookie', async request => request.log.info(`cookie ${request.headers.cookie}`))
    scope.get('/quiet', async () => 'ok')
  })
  await t.rejects(site.get(host, '/name'), leak)
  await t.rejects(site.get(host, '/cookie', { headers: { cookie: `sid=0123456789abcdef; ${asSignedIn(host).cookie}` } }), leak)
  t.equal((await site.get(host, '/quiet', { headers: { cookie: `sid=fedcba9876543210; ${asSignedIn(host).cookie}` } })).status, 200)
  const database = await testDatabase(t)
  const watch = watchLeaks(database, false)
  watch.logger.stream.write(`connecting to ${database.appUrl}`)
  t.throws(watch.checkLog, leak)
})

t.test('a log line after the last reply fails the test that opened the site', async t => {
  const duties: (() => unknown)[] = []
  const database = await testDatabase(t)
  await furnish(t, database, 1)
  collectRoutes(t, scope => {
    scope.addHook('onClose', async () => scope.log.info('cnry_1_0123456789_1'))
  })
  const failures: string[] = []
  await testSite({ teardown: (duty: () => unknown) => duties.push(duty), fail: (message: string) => failures.push(message) } as never, database)
  await duties[0]!()
  t.match(failures, [/^The log says cnry_1_/])
})

t.test('in what a command prints', async t => {
  t.throws(() => mustBeDiscreet('Account cnry_1_0123456789_1 has 3 tasks'), leak)
  mustBeDiscreet('Account 1 has 3 tasks')
})
