// The pool: shares, deadlines, and what is thrown away.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { projects } from '../../src/db/schema.ts'
import { limits } from '../../src/db/limits.ts'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { A, B, testDatabase, testTenancy } from '../support/database.ts'
import { busy } from '../support/busy.ts'
import { testProxy } from '../support/proxy.ts'
import { plant } from '../support/rows.ts'

t.jobs = 3 // most of the time is spent waiting

async function scene (t: Test) {
  const database = (await testDatabase(t)).direct // here a slot's connection is a backend
  await plant(database.admin, A, B)
  return database
}

t.test('F13: one account gets half of the slots, and its neighbour does not wait for it', async t => {
  const database = await scene(t)
  const tenancy = testTenancy(t, database, { poolMax: 4 })
  const hog = Array.from({ length: 6 }, () => busy(tenancy, A, 0.7))
  const neighbour = tenancy.withTenant(B, tenant => tenant.count(projects))
  const first = await Promise.race([neighbour.then(() => 'neighbour'), ...hog.map(each => each.then(() => 'hog'))])
  t.equal(first, 'neighbour')
  const served = Promise.all(hog).then(() => 'served')
  const at: number[] = []
  while (await Promise.race([served, sleep(20)]) !== 'served') {
    const [{ n } = { n: 0 }] = await database.admin`
      select count(*)::int as n from pg_stat_activity where datname = ${database.name} and query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()`
    at.push(n)
  }
  t.equal(Math.max(...at), 2, 'and those who waited were served')
})

t.test('F14: who waits too long for a slot is told so', async t => {
  const tenancy = testTenancy(t, await scene(t), { poolMax: 2 })
  const hog = busy(tenancy, A, limits.acquire / 1000 + 0.7)
  await t.rejects(tenancy.withTenant(A, tenant => tenant.count(projects)), { code: 'pool_busy', statusCode: 503 })
  await t.resolves(hog)
  t.equal(await tenancy.withTenant(A, tenant => tenant.count(projects)), 1, 'the slot came back')
})

t.test('a server that is not there is an answer, not a wait', async t => {
  const tenancy = testTenancy(t, { lock: 'revoked', appUrl: 'postgres://rowhouse_app:x@127.0.0.1:1/rowhouse' } as never)
  const started = Date.now()
  await t.rejects(tenancy.withTenant(A, tenant => tenant.count(projects)), { code: 'database_unavailable', statusCode: 503 })
  t.ok(Date.now() - started < limits.acquire)
  await t.rejects(tenancy.withTenant(A, tenant => tenant.count(projects)), { code: 'database_unavailable' }, 'each time')
})

t.test('a slot has one connection in its life', async t => {
  const database = await scene(t)
  const proxy = await testProxy(t, database.appUrl)
  const pool = new SlotPool(proxy.url(database.appUrl), 1, 1)
  t.teardown(() => pool.close(0))
  const first = await pool.acquire(A)
  const [{ pid } = { pid: 0 }] = await first.send('select pg_backend_pid() as pid', [], 'objects')
  const running = first.send('select pg_sleep($1::float8)', [5], 'objects')
  const queued = [1, 2, 3].map(n => first.send('select $1::int', [n], 'objects')) // held back by postgres.js until the first is done
  setTimeout(() => database.admin`select pg_terminate_backend(${pid})`.execute(), 100)
  for (const waiting of [running, ...queued]) await t.rejects(waiting, { code: 'connection_lost' }, 'what was sent behind it is not sent again')
  await t.rejects(first.send('select 1', [], 'objects'), { code: 'connection_lost' })
  await new Promise(resolve => setTimeout(resolve, 300))
  t.equal(proxy.connections, 1, 'and it did not reconnect')
  pool.release(first)
  const second = await pool.acquire(A)
  t.not(second, first)
  pool.release(second)
})

t.test('the extended protocol refuses stacked statements', async t => {
  const pool = new SlotPool((await scene(t)).appUrl, 1, 1)
  t.teardown(() => pool.close(0))
  const slot = await pool.acquire(A)
  await t.rejects(slot.send('select 1; select 2', [], 'objects'), { code: '42601' })
  await t.rejects(slot.send('select 1; set local app.current_tenant = 2', [], 'arrays'), { code: '42601' })
  pool.release(slot)
})

t.test('closing refuses newcomers, waits for who is inside, and leaves no connection', async t => {
  const database = await scene(t)
  const tenancy = testTenancy(t, database)
  const inside = busy(tenancy, A, 0.5)
  await new Promise(resolve => setTimeout(resolve, 200))
  const closed = tenancy.close()
  await t.rejects(tenancy.withTenant(B, tenant => tenant.count(projects)), { code: 'pool_busy' })
  await t.resolves(inside)
  await closed
  await new Promise(resolve => setTimeout(resolve, 100))
  const [{ n } = { n: -1 }] = await database.admin`select count(*)::int as n from pg_stat_activity where datname = ${database.name} and usename = 'rowhouse_app'`
  t.equal(n, 0)
})

t.test('F13: a flood of one account is refused at once, past what could be served', async t => {
  const tenancy = testTenancy(t, await scene(t), { poolMax: 6 })
  const hog = busy(tenancy, A, 0.2)
  const outcomes = await Promise.allSettled(Array.from({ length: 500 }, () => tenancy.withTenant(A, tenant => tenant.count(projects))))
  const refused = outcomes.filter(({ status }) => status === 'rejected')
  t.ok(refused.length >= 400 && refused.every(each => each.status === 'rejected' && each.reason.code === 'pool_busy'), `${refused.length} refused`)
  t.ok(outcomes.length - refused.length >= 90, 'and who had a place in the queue was served')
  await hog
})

t.test('a slot that its holder never gives back is made up for when its connection ends', async t => {
  const database = await scene(t)
  const pool = new SlotPool(database.appUrl, 2, 1)
  t.teardown(() => pool.close(0))
  const lost = await pool.acquire(A)
  const [{ pid } = { pid: 0 }] = await lost.send('select pg_backend_pid() as pid', [], 'objects')
  await database.admin`select pg_terminate_backend(${pid})`
  const next = await pool.acquire(A)
  t.not(next, lost)
  pool.release(next)
  pool.release(lost)
  pool.release(lost)
  t.equal(await pool.acquire(A), next, 'giving it back late, or twice, changes nothing')
})

t.test('closing twice is closing once, and a slot that comes back late is ended', async t => {
  const pool = new SlotPool((await scene(t)).appUrl, 2)
  const slot = await pool.acquire(A)
  await Promise.all([pool.close(50), pool.close(50)])
  t.match(slot.dead, { code: 'connection_lost' })
  pool.release(slot)
})

t.test('F25: with some connections refused, the others serve', async t => {
  const database = await scene(t)
  await database.admin.unsafe(`alter database ${database.name} connection limit 3`)
  const tenancy = testTenancy(t, database, { poolMax: 10 })
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => tenancy.withTenant(i % 2 ? A : B, tenant => tenant.count(projects))))
  const refused = outcomes.filter(({ status }) => status === 'rejected')
  t.ok(refused.length <= 10, `${refused.length} of 40 refused`)
})

t.test('a value that cannot be sent costs no connection', async t => {
  const pool = new SlotPool((await scene(t)).appUrl, 1, 1)
  t.teardown(() => pool.close(0))
  const slot = await pool.acquire(A)
  for (const value of [undefined, {}, { toString: 1 }, Symbol('x'), () => {}]) await t.rejects(slot.send('select $1::text', [value], 'objects'), TypeError)
  t.equal((await slot.send('select $1::text as it', ['x'], 'objects'))[0]!.it, 'x')
})
