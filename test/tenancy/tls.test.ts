// The same over TLS, where postgres.js takes all listeners from the socket and puts another on top.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { projects } from '../../src/db/schema.ts'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { A, endConnections, testDatabase, testTenancy } from '../support/database.ts'
import { plant } from '../support/rows.ts'
import { tlsProxy } from '../support/tls-proxy.ts'

t.test('connections end without a trace, however they end', async t => {
  const uncaught: unknown[] = []
  const note = (error: unknown) => { uncaught.push(error) }
  process.on('uncaughtException', note)
  t.teardown(() => process.off('uncaughtException', note))
  const database = (await testDatabase(t)).direct
  await plant(database.admin, A)
  const url = await tlsProxy(t, database.appUrl)
  const tenancy = testTenancy(t, database, { url })
  t.equal(await tenancy.withTenant(A, tenant => tenant.count(projects)), 1)

  await t.rejects(tenancy.withTenant(A, async tenant => {
    await tenant.count(projects)
    await endConnections(database)
    await sleep(50)
    await tenant.count(projects)
  }), { code: 'connection_lost' }, 'killed')

  const pool = new SlotPool(url, 2)
  const slot = await pool.acquire(A)
  slot.stale = true
  pool.release(slot) // retired while it lives
  const busy = await pool.acquire(A)
  const waiting = busy.send('select pg_sleep(5)', [], 'objects')
  await sleep(50)
  await pool.close(0) // closed while it waits for an answer
  await t.rejects(waiting, { code: 'connection_lost' })
  t.equal(await tenancy.withTenant(A, tenant => tenant.count(projects)), 1)
  await sleep(200)
  t.same(uncaught, [])
})
