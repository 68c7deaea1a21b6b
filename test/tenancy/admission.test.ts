// Who asks is looked up beside what the route asks. Here it is seen that the one never outruns the other.
import t from 'tap'
import { projects } from '../../src/db/schema.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'

const host = 'tenant-0.localhost'

t.test('a route that asks nothing waits for who asks, and one that fails does not say why to just anyone', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1, 1)
  const site = await testSite(t, database, {}, async app => {
    app.get('/constant', async () => 'constant')
    app.post('/constant', async () => 'constant')
    app.get('/missing', async (_, reply) => reply.code(404).send({ secret: 'there is none' }))
    app.get('/throws', async () => { throw new Error('secret') })
    app.post('/writes', async ({ tenant }) => (await tenant.insert(projects, { name: 'written' })).name)
    app.get('/open', { config: { open: true } }, async () => 'open')
  })
  const stranger = { cookie: 'session=' + 'x'.repeat(43), 'sec-fetch-site': 'same-origin' }
  for (const [method, path, status] of [
    ['GET', '/constant', 200], ['POST', '/constant', 200], ['GET', '/missing', 404], ['GET', '/throws', 500], ['POST', '/writes', 200]
  ] as const) {
    t.equal((await site.get(host, `/api${path}`, { method })).status, status, path)
    for (const headers of [stranger, { ...stranger, cookie: '' }]) {
      const refused = await site.get(host, `/api${path}`, { method, headers })
      t.match(refused, { status: 401, headers: { 'www-authenticate': 'Bearer' } }, path)
      t.equal(refused.json().code, 'unauthenticated')
      t.notMatch(refused.body, /secret|constant|written/)
    }
  }
  t.equal((await site.get(host, '/api/open', { headers: { cookie: '' } })).body, 'open')
  const [written] = await database.admin`select count(*)::int as n from projects where name = 'written'`
  t.equal(written!.n, 1, 'the two strangers\' rows were not kept')
})
