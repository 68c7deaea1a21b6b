// The rules of a transaction, against a real server and real faults.
import { setTimeout as sleep } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { limits } from '../../src/db/limits.ts'
import { projects, tasks } from '../../src/db/schema.ts'
import { innerJoin, query } from '../../src/tenancy/query.ts'
import type { Tenant } from '../../src/tenancy/scope.ts'
import { A, B, endConnections, testDatabase, testTenancy } from '../support/database.ts'
import { busy } from '../support/busy.ts'
import { testProxy } from '../support/proxy.ts'
import { plant } from '../support/rows.ts'
import { until } from '../support/until.ts'

t.jobs = 3 // most of the time is spent waiting

async function scene (t: Test, { poolMax = 4, viaProxy = false, delay = 0, direct = false } = {}) {
  const tested = await testDatabase(t)
  const database = direct ? tested.direct : tested
  await plant(database.admin, A, B)
  const proxy = await testProxy(t, database.appUrl, { delay })
  const tenancy = testTenancy(t, database, { url: viaProxy ? proxy.url(database.appUrl) : database.appUrl, poolMax })
  const count = async (account = A) => (await database.admin`select count(*)::int as n from projects where account_id = ${account}`)[0]!.n as number
  const killBackends = () => endConnections(database)
  return { database, tenancy, proxy, count, killBackends }
}

const project = { name: 'new' }
t.test('what returns is kept, what throws is undone', async t => {
  const { tenancy, count } = await scene(t)
  t.equal(await tenancy.withTenant(A, async tenant => (await tenant.insert(projects, project)).name), 'new')
  t.equal(await count(), 2)
  await t.rejects(tenancy.withTenant(A, async tenant => {
    await tenant.insert(projects, project)
    throw new Error('changed my mind')
  }), { message: 'changed my mind' })
  t.equal(await count(), 2)
})

t.test('a part that outlives its transaction says nothing on the connection, which is another account\'s by then', async t => {
  const { tenancy } = await scene(t, { poolMax: 1 })
  for (const way of ['commit', 'rollback'] as const) {
    const { tenant, transaction } = tenancy.begin(A, 'read write')
    let letEnd!: () => void
    const end = new Promise<void>(resolve => { letEnd = resolve })
    let part!: Promise<void>
    await new Promise<void>(resolve => {
      part = tenant.nested(A, async inner => { await inner.count(projects); resolve(); await end })
    })
    await transaction[way]().catch(error => t.match(error, { code: 'not_committed' }))
    await tenancy.withTenant(B, async other => {
      await other.insert(projects, project)
      letEnd()
      await t.rejects(part, { code: 'transaction_closed' })
      t.equal(await other.count(projects, { name: 'new' }), 1, 'B has lost nothing')
      await other.delete(projects, { name: 'new' })
    })
  }
})

t.test('BEGIN and enter go before the first query, and none waits for another', async t => {
  const { tenancy, proxy } = await scene(t, { viaProxy: true, delay: 15, direct: true })
  const page = query({ from: tasks, joins: [innerJoin(projects, eq(projects.id, tasks.projectId))], columns: { name: tasks.name } })
  const read = () => tenancy.withTenant(A, tenant => Promise.all([tenant.select(page), tenant.count(tasks)]), 'read only')
  t.match(await read(), [[{ name: /^name of 1 / }], 1])
  await until(() => proxy.said.includes('commit')) // which nobody waits for
  const words = ['begin read only', 'select tenancy.enter($1)', 'from "tasks" inner join', 'select count(*)', 'commit']
  const order = words.map(text => proxy.said.indexOf(text))
  t.ok(order.every(at => at >= 0), 'all were said')
  t.same(order, order.toSorted((a, b) => a - b), 'in this order')

  await sleep(100) // until it is answered, and the slot free
  proxy.turns = 0
  t.match(await read(), [[{ name: /^name of 1 / }], 1])
  t.equal(proxy.turns, 1, 'with everything prepared: one round trip for all, COMMIT included')

  await sleep(100)
  await tenancy.withTenant(A, tenant => tenant.update(projects, {}, { details: 'x' }))
  proxy.turns = 0
  await tenancy.withTenant(A, tenant => tenant.update(projects, {}, { details: 'y' }))
  t.equal(proxy.turns, 2, 'a write waits for its COMMIT as well')
})

t.test('a read is a transaction for each flush, and has its slot no longer than that', async t => {
  const { tenancy, proxy } = await scene(t, { viaProxy: true, poolMax: 2, direct: true })
  const begun = () => proxy.said.split('begin read only').length - 1
  const ended = () => proxy.said.split('commit').length - 1
  await tenancy.withTenant(A, async tenant => {
    t.equal((await Promise.all([tenant.count(tasks), tenant.count(projects)])).join(), '1,1')
    await until(() => ended() === 1)
    t.same([begun(), ended()], [1, 1], 'what was asked together')
    t.equal(await tenancy.withTenant(A, other => other.count(tasks), 'read only'), 1, 'its share is one slot, and that is free again')
    t.equal(await tenant.count(tasks), 1)
    await until(() => ended() === 3)
    t.same([begun(), ended()], [3, 3], 'what was asked later')
    await tenant.nested(A, async inner => { await inner.count(tasks); await sleep(20); await inner.count(projects) })
    await until(() => ended() === 4)
    t.same([begun(), ended()], [4, 4], 'a part keeps its transaction open')
    t.ok(proxy.said.lastIndexOf('commit') > proxy.said.lastIndexOf('release savepoint'))
  }, 'read only')
})

t.test('a read of which nobody awaited the end is not left open', async t => {
  const { tenancy, database } = await scene(t, { direct: true })
  const { tenant, transaction } = tenancy.begin(A, 'read only')
  const late = tenant.count(tasks).catch(error => error.code)
  await transaction.rollback() // while it waits for its first connection
  t.equal(await late, 'transaction_closed')
  const open = async () => (await database.admin`select pid from pg_stat_activity where datname = ${database.name} and state like 'idle in transaction%'`).length
  t.equal(await open(), 0)
  t.equal(await tenancy.withTenant(A, other => other.count(tasks)), 1)
})

t.test('a read cannot write', async t => {
  const { tenancy, count } = await scene(t)
  await t.rejects(tenancy.withTenant(A, tenant => tenant.insert(projects, project), 'read only'), { code: '25006' })
  t.equal(await count(), 1)
})

t.test('after its end a transaction is closed, and its slot speaks for nobody', async t => {
  const { tenancy, count } = await scene(t, { poolMax: 2 })
  let kept!: Tenant
  await tenancy.withTenant(A, async tenant => { kept = tenant; await tenant.count(tasks) })
  await t.rejects(kept.count(tasks), { code: 'transaction_closed' })
  await tenancy.withTenant(B, async tenant => {
    await tenant.count(tasks) // on the very connection that A's transaction had
    await t.rejects(kept.insert(projects, project), { code: 'transaction_closed' })
  })
  const { transaction } = tenancy.begin(A, 'read write')
  await transaction.rollback()
  await t.rejects(transaction.commit(), { code: 'transaction_closed' })
  t.equal(await count(A) + await count(B), 2)
})

t.test('a call that nobody awaited belongs to its own transaction or to none', async t => {
  const { tenancy, database } = await scene(t, { poolMax: 2 })
  const late: Promise<unknown>[] = []
  await tenancy.withTenant(A, tenant => tenant.count(tasks))
  for (let i = 0; i < 20; i++) {
    await tenancy.withTenant(A, async tenant => {
      late.push(tenant.insert(projects, { name: 'of A' }).catch(error => error.code))
      if (i % 2) await tenant.count(tasks)
    }).catch(() => {})
    await tenancy.withTenant(B, tenant => tenant.count(tasks))
  }
  const outcomes = await Promise.all(late)
  const [{ stray } = { stray: -1 }] = await database.admin`select count(*)::int as stray from projects where name = 'of A' and account_id <> ${A}`
  t.equal(stray, 0)
  const [{ kept } = { kept: -1 }] = await database.admin`select count(*)::int as kept from projects where name = 'of A'`
  t.equal(kept, outcomes.filter(outcome => typeof outcome === 'object').length, 'whoever was told of a row has it')
})

t.test('after a failed statement nothing is kept, even if the failure was swallowed', async t => {
  const { tenancy, count } = await scene(t)
  await t.rejects(tenancy.withTenant(A, async tenant => {
    await tenant.insert(projects, project)
    await tenant.insert(projects, { name: '' }).catch(() => {})
  }), { code: 'not_committed' })
  await t.rejects(tenancy.withTenant(A, async tenant => {
    await tenant.insert(projects, { name: '' }).catch(() => {})
    await tenant.insert(projects, project)
  }), { code: '23514' }, 'and later statements throw the first failure, not PostgreSQL\'s complaint about the transaction')
  await t.rejects(tenancy.withTenant(A, async tenant => {
    tenant.insert(projects, { name: '' }).catch(() => {}) // in flight when the COMMIT is sent, which is then answered by ROLLBACK
    await tenant.insert(projects, project).catch(() => {})
  }), { code: 'not_committed' })
  t.equal(await count(), 1)
})

t.test('a COMMIT that is answered by ROLLBACK is no commit', async t => {
  const { tenancy, count } = await scene(t)
  const { tenant, transaction } = tenancy.begin(A, 'read write')
  await tenant.insert(projects, project)
  const failing = tenant.insert(projects, { name: '' })
  const committing = transaction.commit() // the failure is not known yet
  await t.rejects(failing, { code: '23514' })
  await t.rejects(committing, { code: 'not_committed' })
  t.equal(await count(), 1)
})

t.test('a part may fail alone, if it is the same account\'s', async t => {
  const { tenancy, count } = await scene(t)
  await tenancy.withTenant(A, async tenant => {
    await tenant.insert(projects, project)
    await t.rejects(tenant.nested(A, async inner => {
      await inner.insert(projects, project)
      await inner.insert(projects, { name: '' })
    }), { code: '23514' })
    await tenant.nested(A, inner => inner.insert(projects, project))
    await t.rejects(tenant.nested(B, inner => inner.count(projects)), { code: 'tenant_mismatch' })
  })
  t.equal(await count(), 3)
})

t.test('beside an open part nobody else may speak, since it would be undone with the part', async t => {
  const { tenancy, count } = await scene(t)
  await tenancy.withTenant(A, async tenant => {
    await tenant.count(projects)
    const failing = tenant.nested(A, async inner => {
      await inner.insert(projects, project)
      await sleep(50)
      throw new Error('changed my mind')
    })
    await t.rejects(tenant.insert(projects, project), { code: 'part_open' })
    await t.rejects(tenant.nested(A, inner => inner.insert(projects, project)), { code: 'part_open' })
    await t.rejects(failing, { message: 'changed my mind' })
    await tenant.nested(A, async inner => {
      await inner.insert(projects, project)
      await t.rejects(inner.nested(A, async innermost => { await innermost.insert(projects, { name: '' }) }), { code: '23514' }, 'a part of a part')
      await inner.insert(projects, project)
    })
  })
  t.equal(await count(), 3)
})

t.test('a call that was not awaited, and so not sent, is not silently left out', async t => {
  const { tenancy, count } = await scene(t)
  let forgotten!: Promise<unknown>
  await t.rejects(tenancy.withTenant(A, async tenant => {
    forgotten = tenant.insert(projects, project)
    forgotten.catch(() => {})
  }), { code: 'not_committed' })
  await t.rejects(forgotten, { code: 'transaction_closed' })
  t.equal(await count(), 1)
})

t.test('a COMMIT that is cancelled leaves nothing behind for the next transaction', async t => {
  const { tenancy, database } = await scene(t, { poolMax: 2 })
  let cancelled = 0
  for (let i = 0; i < 30; i++) {
    const cancelling = database.admin`select pg_cancel_backend(pid) from pg_stat_activity where datname = ${database.name} and usename = 'rowhouse_app'`.execute()
    await tenancy.withTenant(A, async tenant => { await tenant.insert(projects, project) }).catch(() => { cancelled++ })
    await cancelling
    t.equal(await tenancy.withTenant(B, tenant => tenant.count(projects)), 1)
  }
  t.comment(`${cancelled} cancelled`)
})

t.test('F1: a backend that dies takes its transaction with it, and only that', async t => {
  const { tenancy, count, killBackends } = await scene(t, { poolMax: 2 })
  await t.rejects(tenancy.withTenant(A, async tenant => {
    await tenant.insert(projects, project)
    await killBackends()
    await sleep(50)
    await tenant.insert(projects, project)
  }), { code: 'connection_lost' }, 'between statements')
  setTimeout(killBackends, 200)
  await t.rejects(busy(tenancy, A, 3), { code: 'connection_lost' }, 'during a statement')
  await t.rejects(tenancy.withTenant(A, async tenant => {
    await tenant.insert(projects, project)
    await killBackends()
    await sleep(50)
  }), { code: 'connection_lost' }, 'before COMMIT')
  t.equal(await tenancy.withTenant(A, tenant => tenant.count(projects)), 1)
  await killBackends()
  await sleep(50)
  t.equal(await tenancy.withTenant(A, tenant => tenant.count(projects)), 1, 'one that died idle is not lent again')
  t.equal(await count(), 1)
})

t.test('F12: a connection cut at COMMIT leaves its outcome unknown, and says so', async t => {
  const { tenancy, proxy, count } = await scene(t, { viaProxy: true })
  proxy.onSaid = text => text.includes('commit') ? 'cut' : undefined
  await t.rejects(tenancy.withTenant(A, tenant => tenant.insert(projects, project)), { code: 'commit_unknown', statusCode: 503 })
  proxy.onSaid = undefined
  t.equal(await count(), 2, 'here it was kept: the server had the COMMIT')
  t.equal(await tenancy.withTenant(A, tenant => tenant.count(projects)), 2)
  t.equal(proxy.connections, 2, 'on a new connection')
})

t.test('F8: a server that falls silent is given up, and nothing waits for it twice', async t => {
  const { tenancy, proxy } = await scene(t, { viaProxy: true })
  const started = Date.now()
  await t.rejects(tenancy.withTenant(A, async tenant => {
    await tenant.count(projects)
    proxy.frozen = true
    await tenant.count(projects)
  }), { code: 'statement_timeout', statusCode: 503 })
  t.ok(Date.now() - started < 12_000, 'no ROLLBACK was waited for')
  proxy.frozen = false
  t.equal(await tenancy.withTenant(A, tenant => tenant.count(projects)), 1)
})

t.test('F15: a statement that takes too long is stopped by the server, and the slot goes on', async t => {
  const { tenancy, database } = await scene(t, { poolMax: 2 })
  await database.admin.unsafe(`alter role rowhouse_app in database ${database.name} set statement_timeout = '200ms'`)
  const connections = async () => (await database.admin`select pid from pg_stat_activity where datname = ${database.name} and usename = 'rowhouse_app'`).map(row => row.pid)
  await t.rejects(busy(tenancy, A, 2), { code: '57014' })
  const before = await connections()
  t.equal(await tenancy.withTenant(A, tenant => tenant.count(projects)), 1)
  t.same(await connections(), before)
})

const one = (tenant: Tenant) => Promise.all([tenant.get(projects, {})])
const both = (tenant: Tenant) => Promise.all([tenant.get(projects, {}), tenant.count(projects)])
for (const mode of ['read only', 'read write'] as const) {
  for (const [what, work, found] of [['alone', one, [{ name: /^name of 1 / }]], ['before another', both, [{ name: /^name of 1 / }, 1]]] as const) {
    t.test(`a statement that the server no longer takes as prepared costs its transaction, and nobody waits: ${mode}, ${what}`, async t => {
      const { tenancy, database } = await scene(t, { poolMax: 2, direct: true })
      const read = () => tenancy.withTenant<unknown[]>(A, work, mode)
      await read()
      await database.admin.unsafe('alter table projects alter column name type varchar(600)') // as a migration may, under load
      const started = Date.now()
      await t.rejects(read(), { code: 'connection_lost', statusCode: 503 })
      t.match(await read(), found)
      t.ok(Date.now() - started < limits.reply / 2, 'not even until the slot would be given up')
    })
  }
}

t.test('nor if the server knows none of them any more', async t => {
  const { tenancy } = await scene(t, { poolMax: 2, direct: true })
  const read = () => tenancy.withTenant(A, tenant => Promise.all([tenant.get(projects, { name: `name of ${A}` }), tenant.count(projects)]))
  await read()
  const { transaction } = tenancy.begin(A, 'read only')
  await transaction.ask(transaction.whole, 'deallocate all', [], 'control') // as a pooler does, by lending another connection
  await transaction.commit()
  const started = Date.now()
  await t.rejects(read(), { code: 'connection_lost', statusCode: 503 })
  t.equal((await read())[1], 1)
  t.ok(Date.now() - started < limits.reply / 2)
})
