// F20, F21, F22: clients that hang up while they write, that send a byte a second, and that do not read.
import type { Server } from 'node:http'
import { type Socket, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { projects } from '../../src/db/schema.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { ours, watchedSite } from '../support/watched.ts'
import { request } from '../support/wire.ts'

t.jobs = 3

const slots = 4
const blocked = 3 * slots

async function scene (t: Test) {
  const database = await testDatabase(t)
  await furnish(t, database, 100)
  let server!: Server
  const large = { begun: 0 }
  const site = await watchedSite(t, database, scope => {
    server = scope.server
    scope.post<{ Params: { name: string } }>('/pair/:name', async ({ tenant, params: { name } }) => {
      await tenant.insert(projects, { name })
      await sleep(150)
      await tenant.insert(projects, { name })
      return {}
    })
    scope.get('/large', async ({ tenant }) => {
      const n = await tenant.count(projects)
      large.begun++
      return { n, text: 'x'.repeat(8 * 1024 * 1024) } // more than the sockets hold
    })
  })
  const open = () => {
    const socket = connect(site.port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    return socket.on('error', () => {})
  }
  /** As many at once as there are slots, twice, and each takes one; who gets none in time would be answered 503. */
  const othersAreServed = async () => {
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(Array.from({ length: slots }, () => site.send(request('GET /api/subtasks HTTP/1.1', ours))))
      t.same(answers.filter(({ status }) => status !== 200), [])
    }
  }
  return { database, server, site, large, open, othersAreServed }
}

t.test('F20: clients that hang up in the middle of a write leave all of it or nothing, and no slot is lost', async t => {
  const { database, open, othersAreServed } = await scene(t)
  for (let i = 0; i < blocked; i++) {
    const socket = open()
    socket.write(request(`POST /test/pair/pair-${i} HTTP/1.1`, [...ours, 'Content-Length: 0']))
    await sleep(60)
    if (i % 2) socket.resetAndDestroy()
    else socket.destroy()
  }
  await othersAreServed()
  const transactions = async () => (await database.admin<[{ n: number }]>`
    select count(*)::int as n from pg_stat_activity where datname = ${database.name} and application_name = 'rowhouse' and state <> 'idle'`)[0].n
  for (const end = Date.now() + 5_000; await transactions() > 0 && Date.now() < end; await sleep(50));
  t.equal(await transactions(), 0, 'no transaction is open')
  t.same([...await database.admin`select name, count(*)::int as n from projects where name like 'pair%' group by name having count(*) <> 2`], [])
})

t.test('F21: requests that come a byte a second are given up in time', async t => {
  const { open, othersAreServed, server, site } = await scene(t)
  t.same([server.headersTimeout, server.requestTimeout], [10_000, 15_000])
  Object.assign(server, { headersTimeout: 3_000, requestTimeout: 5_000 }) // the same, sooner
  const trickle = (text: string) => {
    const socket = open()
    const from = Date.now()
    const answer = new Promise<{ said: string, took: number }>(resolve => {
      let said = ''
      socket.on('data', chunk => { said += chunk }).on('close', () => resolve({ said, took: Date.now() - from }))
    })
    socket.write(text)
    const timer = setInterval(() => socket.write('x'), 1_000)
    socket.on('close', () => clearInterval(timer))
    return answer
  }
  const heads = Array.from({ length: blocked }, () => trickle('GET /api/subtasks HTTP/1.1\r\nHost: tenant-0.localhost\r\nX-Slow: '))
  const bodies = Array.from({ length: blocked }, () =>
    trickle('POST /test/pair/slow HTTP/1.1\r\nHost: tenant-0.localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n'))
  await sleep(1_500)
  await othersAreServed()
  t.equal(site.calls.tenant, 2 * slots, 'those that are not there yet take no slot')
  for (const [kind, calls, limit] of [['headers', heads, 3_000], ['body', bodies, 5_000]] as const) {
    for (const call of calls) {
      const { said, took } = await call
      t.match(said, /^HTTP\/1\.1 408 .*request_timeout/s, `${kind}: 408`)
      t.ok(took >= limit - 1_000 && took < limit + 7_000, `after ${took} ms`)
    }
  }
})

t.test('F22: clients that do not read hold no slot', async t => {
  const { large, open, othersAreServed, site } = await scene(t)
  const sockets: Socket[] = []
  while (sockets.length < blocked) { // one after the other: to write so much takes the processor from those who wait for a slot
    const socket = open().pause()
    socket.write(request('GET /test/large HTTP/1.1', ours))
    sockets.push(socket)
    for (const end = Date.now() + 10_000; large.begun < sockets.length && Date.now() < end; await sleep(10));
  }
  await sleep(500)
  await othersAreServed()
  t.equal(sockets.filter(socket => socket.closed).length, 0, 'while they still wait')
  t.equal(site.log().split('request completed').length - 1, 2 * slots, 'and none of them has been answered in full')
})
