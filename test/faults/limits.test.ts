// The database's time limits, and changes that are in each other's way: 503, nothing kept, and the next request is served.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { limits } from '../../src/db/limits.ts'
import { projects } from '../../src/db/schema.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { Gate, gatedRoutes } from '../support/gate.ts'
import { type Reply, testSite } from '../support/http.ts'
import { posting, faultRoutes } from '../support/fault-routes.ts'

t.jobs = 3

const host = 'tenant-0.localhost'

/** @param settings of the app role, in this database only */
async function scene (t: Test, settings: Record<string, string> = {}) {
  const database = (await testDatabase(t)).direct // a slot's connection is a backend
  const { admin, name: databaseName } = database
  await furnish(t, database, 1, 1, 1)
  const gate = new Gate()
  const site = await testSite(t, database, {}, async app => {
    await app.register(faultRoutes)
    await app.register(gatedRoutes(gate))
    await app.register(renamingRoutes(gate))
  })
  // After the start, whose look at the walls is not meant; the pool has opened no connection yet.
  for (const [name, value] of Object.entries(settings)) {
    await admin.unsafe(`alter role rowhouse_app in database ${databaseName} set ${name} = '${value}'`)
  }
  const post = (name: string) => site.get(host, '/api/projects', posting(name))
  const gated = (name: string, at = host) => site.get(at, '/api/faults/gated', posting(name))
  /** Changes projects of these names in this order, the gate between the first and the second, and writes a row called `as`. */
  const rename = (as: string, names: string[]) =>
    site.get(host, '/api/faults/rename', { ...posting(as), payload: JSON.stringify({ as, names }) })
  const rows = async (name: string) => (await admin`select count(*)::int as n from projects where name like ${name}`)[0]!.n
  const backends = async () =>
    (await admin`select pid from pg_stat_activity where datname = ${databaseName} and usename = 'rowhouse_app' order by 1`).map(row => row.pid)
  return { admin, site, gate, post, gated, rename, rows, backends }
}

const renamingRoutes = (gate: Gate) => async (app: FastifyInstance) => {
  app.post<{ Body: { as: string, names: string[] } }>('/faults/rename', async ({ tenant, body: { as, names } }) => {
    await tenant.insert(projects, { name: `row of ${as}` })
    const [first, second] = names as [string, string]
    if (first === 'read') await tenant.count(projects)
    else await tenant.update(projects, { name: first }, { name: first })
    await gate.pass()
    await tenant.update(projects, { name: second }, { name: second })
    return { as }
  })
}

const answer = ({ status, headers, json }: Reply) => status < 300 ? 'done' : `${status} ${json().code} ${headers['retry-after']}`
const inTheWay = '503 try_again 1'

t.test('F14: while two accounts hold all slots, a third is answered 503 in time, and served once they end', async t => {
  const { site, gate, gated } = await scene(t)
  const holding = Promise.all([1, 1, 2, 2].map(n => gated('holds', `tenant-${n}.localhost`)))
  await gate.holds(4)
  const started = performance.now()
  const replies = await Promise.all([1, 2, 3].map(() => site.get(host, '/api/subtasks')))
  const waited = performance.now() - started
  t.same(replies.map(answer), Array(3).fill('503 pool_busy 1'))
  t.ok(waited < limits.acquire + 1000, `after ${waited} ms`)

  const ended = performance.now()
  gate.open()
  t.equal((await site.get(host, '/api/subtasks')).status, 200)
  t.ok(performance.now() - ended < 1000, 'recovered')
  t.same((await holding).map(answer), Array(4).fill('done'), 'and nobody was cut short')
})

t.test('F15: a statement past statement_timeout is stopped, and its connection serves the next request', async t => {
  const { admin, post, rows, backends } = await scene(t, { statement_timeout: '300ms' })
  await admin.unsafe(`
    create function slow () returns trigger language plpgsql as $$ begin perform pg_sleep(30); return new; end $$;
    create trigger slow before insert on projects for each row when (new.name = 'slow') execute function slow()`)
  await post('quick')
  const before = await backends()
  t.equal(answer(await post('slow')), '503 statement_timeout 1')
  t.equal(answer(await post('next')), 'done')
  t.same(await backends(), before)
  t.same([await rows('slow'), await rows('next')], [0, 1])
})

t.test('F16: a row that another session holds past lock_timeout', async t => {
  const { admin, gate, post, rename, rows, backends } = await scene(t, { lock_timeout: '200ms' })
  await post('one')
  await post('two')
  const before = await backends()
  const waiting = rename('first', ['one', 'two'])
  await gate.holds(1)
  await admin.begin(async other => {
    await other`update projects set name = name where name = 'two'`
    gate.open()
    t.equal(answer(await waiting), inTheWay)
  })
  t.equal(await rows('row of first'), 0)
  const again = rename('second', ['one', 'two'])
  await gate.holds(1)
  gate.open()
  t.same([answer(await again), await backends()], ['done', before])
})

t.test('F17: the server ends a transaction that idles too long: its request is answered 503, and the process lives', async t => {
  const { gate, post, gated, rows, backends } = await scene(t, { idle_in_transaction_session_timeout: '200ms' })
  await post('prepares')
  const before = await backends()
  const idle = gated('idle')
  await gate.holds(1)
  for (let i = 0; i < 200 && (await backends()).length === before.length; i++) await sleep(20)
  gate.open()
  t.equal(answer(await idle), '503 connection_lost 1')
  t.same([answer(await post('next')), await rows('idle'), await rows('next')], ['done', 0, 1])
})

t.test('F18: of two requests in a deadlock one is done and one is told to try again; the server itself repeats nothing', async t => {
  const { gate, post, rename, rows } = await scene(t, { deadlock_timeout: '100ms' })
  await post('one')
  await post('two')
  const both = Promise.all([rename('A', ['one', 'two']), rename('B', ['two', 'one'])])
  await gate.holds(2)
  gate.open()
  const replies = await both
  t.same(replies.map(answer).toSorted(), [inTheWay, 'done'])
  t.same([await rows('row of A'), await rows('row of B')], replies.map(({ status }) => status === 200 ? 1 : 0), 'rows of the one, once')
  t.equal(gate.waiting, 0, 'nobody came by a second time')

  const victim = answer(replies[0]!) === 'done' ? 'B' : 'A'
  const again = rename(victim, ['one', 'two'])
  await gate.holds(1)
  gate.open()
  t.equal(answer(await again), 'done', 'repeated by the client')
  t.equal(await rows('row of _'), 2)
})

t.test('F19: a serialization failure is told to try again, keeps nothing and doubles nothing', async t => {
  const { gate, post, rename, rows } = await scene(t, { default_transaction_isolation: 'repeatable read' })
  await post('one')
  const late = rename('late', ['read', 'one'])
  await gate.holds(1) // it has its snapshot
  const early = rename('early', ['one', 'one'])
  await gate.holds(2)
  gate.open()
  t.same([answer(await early), answer(await late)], ['done', inTheWay])
  t.same([await rows('row of early'), await rows('row of late')], [1, 0])
  const again = rename('late', ['read', 'one'])
  await gate.holds(1)
  gate.open()
  t.same([answer(await again), await rows('row of late')], ['done', 1])
})
