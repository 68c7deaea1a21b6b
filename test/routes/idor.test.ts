// Another account's id is as unknown as one that never was: on every route, found by asking Fastify. Nobody adds a route here.
// Meanwhile every statement of every route is tried without row-level security, too, and must come to the same.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import t from 'tap'
import { tasks, subtasks } from '../../src/db/schema.ts'
import { AppError } from '../../src/errors.ts'
import { furnish } from '../support/accounts.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { idorProblems } from '../support/idor.ts'
import { collectRoutes } from '../support/routes.ts'
import { watchSecondWall } from '../support/second-wall.ts'

type Request = FastifyRequest<{ Params: { id: string }, Body: { taskId: string, name: string } }>
const uuid = { type: 'string', format: 'uuid' }
const byId = { schema: { params: { type: 'object', properties: { id: uuid } } } }
const body = { type: 'object', required: ['name', 'taskId'], additionalProperties: false, properties: { name: { type: 'string', minLength: 1 }, taskId: uuid } }

/** Routes that do it right. */
function plantGood (scope: FastifyInstance): void {
  const found = async ({ tenant, params: { id } }: Request) => await tenant.get(tasks, { id }) ?? missing()
  scope.get('/good/tasks/:id', byId, async request => ({ id: (await found(request as Request)).id }))
  scope.delete('/good/tasks/:id', byId, async (request, reply) => {
    await request.tenant.delete(tasks, { id: (await found(request as Request)).id })
    return reply.code(204).send()
  })
  scope.post('/good/subtasks', { schema: { body } }, async request => request.tenant.insert(subtasks, (request as Request).body))
  scope.get('/good/filtered', { schema: { querystring: { type: 'object', properties: { taskId: uuid, page: { type: 'integer', minimum: 1 } } } } },
    async request => ({ id: (await request.tenant.get(tasks, { id: (request.query as { taskId: string }).taskId }) ?? missing()).id }))
}

/** Each has its paths below one that begins with its number. */
const leaky: [what: string, complaint: RegExp, plant: (scope: FastifyInstance, database: TestDatabase) => void][] = [
  ['a row is found by its id alone', /another account's id is answered 200/, (scope, { admin }) => {
    scope.get('/tasks/:id', byId, async request => (await admin`select id from tasks where id = ${(request as Request).params.id}`)[0] ?? missing())
  }],
  ['a row with its texts is found by its id alone', /says cnry_2_/, (scope, { admin }) => {
    scope.get('/tasks/:id', byId, async request => (await admin`select * from tasks where id = ${(request as Request).params.id}`)[0] ?? missing())
  }],
  ['403 tells that it is there', /answered 403/, (scope, { admin }) => {
    scope.get('/tasks/:id', byId, async (request, reply) => {
      const [row] = await admin`select account_id from tasks where id = ${(request as Request).params.id}`
      if (!row) return missing()
      return Number(row.account_id) === request.account.id ? {} : reply.code(403).send({})
    })
  }],
  ['404 in other words', /is told from one that never was/, (scope, { admin }) => {
    scope.get('/tasks/:id', byId, async (request, reply) => {
      const [row] = await admin`select account_id from tasks where id = ${(request as Request).params.id}`
      if (!row) return missing()
      return Number(row.account_id) === request.account.id ? {} : reply.code(404).send({ code: 'not_yours' })
    })
  }],
  ['a row is deleted by its id alone', /rows were changed/, (scope, { admin }) => {
    scope.delete('/tasks/:id', byId, async request => {
      await admin`delete from tasks where id = ${(request as Request).params.id}`
      return (await request.tenant.get(tasks, { id: (request as Request).params.id })) ?? missing()
    })
  }],
  ['a reference in a body goes unchecked', /body taskId: another account's id is answered 200/, scope => {
    scope.post('/subtasks', { schema: { body } }, async () => ({}))
  }],
  ['a malformed id reaches the database', /a malformed id is answered 500, with a connection taken/, scope => {
    scope.get('/tasks/:id', async request => ({ id: (await request.tenant.get(tasks, { id: (request as Request).params.id }) ?? missing()).id }))
  }],
  ['an id of no table', /not covered: .* of which table/, scope => { scope.get('/things/:id', async () => missing()) }],
  ['a cursor that is any text', /not covered: querystring cursor/, scope => {
    scope.get('/list', { schema: { querystring: { type: 'object', properties: { cursor: { type: 'string' } } } } }, async () => ({}))
  }],
  ['a cursor that is good for everyone', /another account's cursor is answered 200/, scope => {
    const querystring = { type: 'object', properties: { cursor: { type: 'string', format: 'cursor' } } }
    scope.get('/list', { schema: { querystring } }, async () => ({ next: 'B'.repeat(60) }))
  }],
  ['a wildcard', /not covered: a wildcard/, scope => { scope.get('/*', async () => ({})) }],
  ['own rows that are not found', /own rows: not covered/, scope => { scope.get('/tasks/:id', byId, async () => missing()) }],
  ['another account\'s text in a list without ids', /says cnry_2_/, (scope, { admin }) => {
    scope.get('/tasks', async () => admin`select name from tasks where account_id = 2 and name like '%cnry%'`)
  }]
]

const database = await testDatabase(t)
await furnish(t, database, 3, 3)
const routes = collectRoutes(t, scope => {
  plantGood(scope)
  for (const [i, [, , plant]] of leaky.entries()) scope.register(async each => plant(each, database), { prefix: `/leaky/${i}` })
})
const site = await testSite(t, { ...database, appUrl: watchSecondWall(t, database).url })
const problems = await idorProblems(t, database, site, routes(), ['tenant-0.localhost', 'tenant-1.localhost'])

t.test('every tenanted route of the application', async t => {
  t.same(problems.filter(problem => !/^\w+ \/(good|leaky)\//.test(problem)), [])
  t.ok(routes().some(({ tenanted, url }) => tenanted && url === '/api/subtasks'), 'the listing is one of them')
  t.notOk(routes().some(({ tenanted, url }) => tenanted && /^\/(healthz|readyz|assets|api\/docs|api\/openapi)/.test(url)), 'what belongs to no tenant is not')
})

t.test('routes that do it right are not complained of', async t => {
  t.equal(routes().filter(({ tenanted, url }) => tenanted && url.startsWith('/good/')).length, 6, 'two of them have a HEAD')
  t.same(problems.filter(problem => / \/good\//.test(problem)), [])
})

for (const [i, [what, complaint]] of leaky.entries()) {
  t.test(`seen: ${what}`, async t => {
    const found = problems.filter(problem => problem.includes(` /leaky/${i}/`))
    t.ok(found.some(problem => complaint.test(problem)), found.join('; ') || 'nothing was complained of')
  })
}

function missing (): never {
  throw new AppError('not_found')
}
