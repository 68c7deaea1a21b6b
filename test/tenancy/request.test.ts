// From request to transaction and back, with routes made for the purpose.
import { once } from 'node:events'
import { request } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { projects } from '../../src/db/schema.ts'
import { AppError } from '../../src/errors.ts'
import { answerErrors, asProblem } from '../../src/routes/errors.ts'
import { createDirectory } from '../../src/tenancy/directory.ts'
import { tenantRequests } from '../../src/tenancy/request.ts'
import { type TestDatabase, slotOptions, testDatabase, testTenancy } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { until } from '../support/until.ts'

const host = 'tenant-0.localhost'

async function scene (t: Test, routes: (tenanted: FastifyInstance, app: FastifyInstance) => void) {
  const database = await testDatabase(t)
  await furnish(t, database, 1, 1)
  const directory = createDirectory(database.appUrl, slotOptions(database))
  const app = fastify()
  answerErrors(app, asProblem)
  await app.register(tenantRequests, { tenancy: testTenancy(t, database, { poolMax: 2 }), directory, baseDomain: 'localhost', admit: () => undefined })
  await app.register(async scope => {
    app.tenanted(scope)
    routes(scope, app)
  })
  t.teardown(async () => {
    await app.close()
    await directory.close()
  })
  const call = async (method: 'GET' | 'POST', url: string) => {
    const { statusCode, body } = await app.inject({ method, url, headers: { host } })
    return { status: statusCode, body: JSON.parse(body || 'null') }
  }
  return { app, database, call }
}

const named = async ({ admin }: TestDatabase, name: string) => (await admin`select count(*)::int as n from projects where name = ${name}`)[0]!.n

t.test('where too many wait, a request is refused before its route, or anybody who is to be admitted, has run', async t => {
  let entered = 0
  const { call } = await scene(t, scope => {
    scope.get('/asks', async ({ tenant }) => {
      entered++
      return { n: await tenant.count(projects) }
    })
    scope.get('/holds', async request => {
      await request.withTenant(async tenant => {
        await tenant.count(projects)
        await until(() => answered >= 20)
      })
      return {}
    })
  })
  let answered = 0
  const holds = call('GET', '/holds') // one of two slots, which is all that one account may have
  const asked = Array.from({ length: 140 }, () => call('GET', '/asks').then(answer => { answered++; return answer }))
  const replies = await Promise.all(asked)
  const refused = replies.filter(({ status, body }) => status === 503 && body.code === 'pool_busy')
  t.same(replies.filter(({ status }) => status === 200).length, replies.length - refused.length)
  t.ok(refused.length >= 35, `${refused.length} of ${replies.length} refused`)
  t.equal(entered, replies.length - refused.length)
  await holds
})

t.test('a write is kept when its reply leaves, and undone when the reply is an error', async t => {
  const { database, call } = await scene(t, scope => {
    scope.post('/kept', async ({ tenant }) => ({ name: (await tenant.insert(projects, { name: 'kept' })).name }))
    scope.post('/refused', async ({ tenant }, reply) => {
      await tenant.insert(projects, { name: 'refused' })
      return reply.code(422).send({})
    })
    scope.post('/thrown', async ({ tenant }) => {
      await tenant.insert(projects, { name: 'thrown' })
      throw new AppError('conflict')
    })
    scope.post('/swallowed', async ({ tenant }) => {
      await tenant.insert(projects, { name: 'swallowed' })
      await tenant.insert(projects, { name: '' }).catch(() => {})
      return { saved: true }
    })
  })
  t.same(await call('POST', '/kept'), { status: 200, body: { name: 'kept' } })
  t.equal(await named(database, 'kept'), 1, 'by the time of the reply')
  t.equal((await call('POST', '/refused')).status, 422)
  t.match(await call('POST', '/thrown'), { status: 409, body: { code: 'conflict' } })
  t.match(await call('POST', '/swallowed'), { status: 500, body: { code: 'not_committed' } }, 'a reply that says "saved" does not leave')
  for (const name of ['refused', 'thrown', 'swallowed']) t.equal(await named(database, name), 0, name)
})

t.test('a GET cannot write', async t => {
  const { database, call } = await scene(t, scope => {
    scope.get('/write', async ({ tenant }) => tenant.insert(projects, { name: 'by GET' }))
  })
  t.ok((await call('GET', '/write')).status >= 500)
  t.equal(await named(database, 'by GET'), 0)
})

t.test('PostgreSQL\'s refusals are answered in our words', async t => {
  const { call } = await scene(t, scope => {
    scope.post('/check', async ({ tenant }) => tenant.insert(projects, { name: '' }))
    scope.post('/nul', async ({ tenant }) => tenant.insert(projects, { name: 'a\0b' }))
    scope.post('/twice', async ({ tenant }) => {
      const { id } = await tenant.insert(projects, { name: 'x' })
      return tenant.insert(projects, { id, name: 'x' })
    })
    scope.post('/boom', async () => { throw new Error('select * from secrets') })
  })
  t.match(await call('POST', '/nul'), { status: 400, body: { code: 'invalid_text' } })
  t.match(await call('POST', '/twice'), { status: 409, body: { code: 'conflict' } })
  for (const path of ['/check', '/boom']) {
    const { status, body } = await call('POST', path)
    t.same([status, Object.keys(body), body.code], [500, ['type', 'status', 'code', 'title'], 'internal'])
    t.notMatch(JSON.stringify(body), /select|constraint|projects/)
  }
})

t.test('outside the scope there is no tenant', async t => {
  const { call } = await scene(t, (_, app) => {
    app.get('/outside', async request => request.tenant.count(projects))
    app.get('/outside/account', async request => request.account)
  })
  t.match(await call('GET', '/outside'), { status: 500, body: { code: 'tenant_missing' } })
  t.match(await call('GET', '/outside/account'), { status: 500, body: { code: 'tenant_missing' } })
})

t.test('a route that asks the database nothing takes no connection', async t => {
  const { call, database } = await scene(t, scope => {
    scope.get('/nothing', async ({ account }) => ({ slug: account.slug }))
  })
  await call('GET', '/nothing')
  const connections = async () => (await database.admin`
    select count(*)::int as n from pg_stat_activity where datname = ${database.name} and application_name = 'rowhouse'`)[0]!.n
  const before = await connections()
  for (let i = 0; i < 5; i++) t.same((await call('GET', '/nothing')).body, { slug: 'tenant-0' })
  t.equal(await connections(), before)
})

t.test('F20: a client that leaves in the middle leaves nothing half done, and its slot comes back', async t => {
  let inside = 0
  const { app, database, call } = await scene(t, scope => {
    scope.post('/slow', async ({ tenant, raw }) => {
      await tenant.insert(projects, { name: 'slow' })
      inside++
      await once(raw.socket, 'close')
      await tenant.insert(projects, { name: 'slow' })
      return {}
    })
    scope.get('/count', async ({ tenant }) => tenant.count(projects))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  for (let i = 1; i <= 3; i++) {
    const leaving = request({ port, method: 'POST', path: '/slow', headers: { host } }).on('error', () => {}).end()
    t.ok(await until(() => inside === i, 10_000), 'it is in the middle')
    leaving.destroy()
  }
  t.equal((await call('GET', '/count')).status, 200)
  const open = () => database.admin`select from pg_stat_activity where datname = ${database.name} and state like 'idle in transaction%'`
  t.ok(await until(async () => (await open()).length === 0, 10_000), 'no transaction is left open')
  t.equal(await named(database, 'slow') % 2, 0)
})
