// Nobody gets past admission: every tenanted route there is, asked by everyone who may not. A new route is covered without anyone adding it here.
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { projects } from '../../src/db/schema.ts'
import { furnish } from '../support/accounts.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { type Route, collectRoutes } from '../support/routes.ts'
import { strangerProblems } from '../support/strangers.ts'

/** Routes that answer at once, ask, write, and take more than others. */
function plantGood (scope: FastifyInstance): void {
  scope.get('/good/constant', async () => 'constant')
  scope.get('/good/name', async ({ tenant }) => (await tenant.get(projects, {}))!.name)
  scope.post('/good/projects', async ({ tenant }) => await tenant.insert(projects, { name: 'written' }))
  scope.delete('/good/projects', async ({ tenant }) => ({ deleted: await tenant.delete(projects, {}) }))
  scope.get('/good/trail', { config: { may: 'readAudit' } }, async () => 'trail')
  scope.put('/good/users', { config: { may: 'manageUsers' } }, async ({ tenant }) => await tenant.insert(projects, { name: 'written' }))
}

const leaky: [what: string, complaint: RegExp, plant: (scope: FastifyInstance, database: TestDatabase) => void][] = [
  ['a reply that does not go through admission', /^nobody: GET \/leaky\/hijacked: answered 200/m, scope => {
    scope.get('/leaky/hijacked', { onRequest: async (_, reply) => reply.hijack().raw.end('hijacked') }, async () => {})
  }],
  ['a write in a transaction of its own', /^an expired session: POST \/leaky\/own: something was written/m, (scope, { admin }) => {
    scope.post('/leaky/own', async () => { await admin`update projects set details = details || '.'` })
  }],
  ['a route that says it only reads', /^a viewer: POST \/leaky\/write: answered 200/m, scope => {
    scope.post('/leaky/write', async ({ tenant }) => await tenant.insert(projects, { name: 'written' }))
    scope.addHook('onRequest', async ({ routeOptions: { config } }) => { config.may = 'read' })
  }]
]

const database = await testDatabase(t)
await furnish(t, database, 1, 1)
const routes = collectRoutes(t, scope => {
  plantGood(scope)
  for (const [, , plant] of leaky) scope.register(async each => plant(each, database))
})
const site = await testSite(t, database)
const ofLeaky = (url: string) => url.startsWith('/leaky/')
const problemsOf = (asked: Route[]) => strangerProblems(database, site, asked, ['tenant-0.localhost', 'tenant-1.localhost'])

t.test('every tenanted route of the application, and some that answer at once, ask, write, and take more than others', async t => {
  const asked = routes().filter(({ url }) => !ofLeaky(url))
  t.same(await problemsOf(asked), [])
  t.ok(asked.some(({ tenanted, open, url }) => tenanted && !open && url === '/api/subtasks'), 'the listing is one of them')
  t.ok(asked.some(({ tenanted, open, url }) => tenanted && !open && url === '/good/constant'), 'and ours')
})

t.test('leaky ones are seen', async t => {
  const problems = await problemsOf(routes().filter(({ url }) => ofLeaky(url)))
  for (const [what, complaint] of leaky) t.match(problems.join('\n'), complaint, what)
})
