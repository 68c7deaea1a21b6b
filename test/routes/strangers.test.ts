// Nobody gets past admission: every tenanted route there is, asked by everyone who may not. A new route is covered without anyone adding it here.
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { projects } from '../../src/db/schema.ts'
import { furnish } from '../support/accounts.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { collectRoutes } from '../support/routes.ts'
import { strangerProblems } from '../support/strangers.ts'

async function problemsOf (t: Test, plant?: (scope: FastifyInstance, database: TestDatabase) => void) {
  const database = await testDatabase(t)
  await furnish(t, database, 1, 1)
  const routes = collectRoutes(t, plant && (scope => plant(scope, database)))
  const site = await testSite(t, database)
  const asked = routes().filter(({ url }) => !plant || url.startsWith('/planted'))
  return { problems: await strangerProblems(database, site, asked, ['tenant-0.localhost', 'tenant-1.localhost']), asked }
}

t.test('every tenanted route of the application', async t => {
  const { problems, asked } = await problemsOf(t)
  t.same(problems, [])
  t.ok(asked.some(({ tenanted, open, url }) => tenanted && !open && url === '/api/subtasks'), 'the listing is one of them')
})

t.test('routes that answer at once, ask, write, and take more than others', async t => {
  const { problems } = await problemsOf(t, scope => {
    scope.get('/planted/constant', async () => 'constant')
    scope.get('/planted/name', async ({ tenant }) => (await tenant.get(projects, {}))!.name)
    scope.post('/planted/projects', async ({ tenant }) => await tenant.insert(projects, { name: 'written' }))
    scope.delete('/planted/projects', async ({ tenant }) => ({ deleted: await tenant.delete(projects, {}) }))
    scope.get('/planted/trail', { config: { may: 'readAudit' } }, async () => 'trail')
    scope.put('/planted/users', { config: { may: 'manageUsers' } }, async ({ tenant }) => await tenant.insert(projects, { name: 'written' }))
  })
  t.same(problems, [])
})

const leaky: [what: string, complaint: RegExp, plant: (scope: FastifyInstance, database: TestDatabase) => void][] = [
  ['a reply that does not go through admission', /^nobody: GET \/planted\/hijacked: answered 200/m, scope => {
    scope.get('/planted/hijacked', { onRequest: async (_, reply) => reply.hijack().raw.end('hijacked') }, async () => {})
  }],
  ['a write in a transaction of its own', /^an expired session: POST \/planted\/own: something was written/m, (scope, { admin }) => {
    scope.post('/planted/own', async () => { await admin`update projects set details = details || '.'` })
  }],
  ['a route that says it only reads', /^a viewer: POST \/planted\/write: answered 200/m, scope => {
    scope.post('/planted/write', async ({ tenant }) => await tenant.insert(projects, { name: 'written' }))
    scope.addHook('onRequest', async ({ routeOptions: { config } }) => { config.may = 'read' })
  }]
]

for (const [what, complaint, plant] of leaky) {
  t.test(`seen: ${what}`, async t => {
    const { problems } = await problemsOf(t, plant)
    t.match(problems.join('\n'), complaint)
  })
}
