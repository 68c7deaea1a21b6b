// The network between us and the database fails: whoever waits is told so in time, and afterwards every slot can be used again.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { limits } from '../../src/db/limits.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { Gate, gatedRoutes } from '../support/gate.ts'
import { type Reply, testSite } from '../support/http.ts'
import { posting, faultRoutes } from '../support/fault-routes.ts'
import { testProxy } from '../support/proxy.ts'
import { until } from '../support/until.ts'

t.jobs = 6 // most of the time is spent waiting for a deadline

const hosts = ['tenant-0.localhost', 'tenant-1.localhost'] as const
const [host] = hosts

async function scene (t: Test, { poolMax = 4 } = {}) {
  const database = (await testDatabase(t)).direct // the proxy stands between us and the server itself
  await furnish(t, database, 1, 1)
  const proxy = await testProxy(t, database.appUrl)
  const gate = new Gate()
  const site = await testSite(t, { ...database, appUrl: proxy.url(database.appUrl) }, { POOL_MAX: String(poolMax) }, async app => {
    await app.register(faultRoutes)
    await app.register(gatedRoutes(gate))
  })
  const list = (at: string = host) => site.get(at, '/api/subtasks')
  const post = (name: string, at: string = host) => site.get(at, '/api/projects', posting(name))
  const gated = (name: string, at: string = host) => site.get(at, '/api/faults/gated', posting(name))
  const rows = async (name: string) => (await database.admin`select count(*)::int as n from projects where name = ${name}`)[0]!.n

  /** Both accounts' shares at once, which together are all the slots. */
  async function useAllSlots (name: string): Promise<void> {
    const all = Promise.all([...hosts, ...hosts].map(at => gated(name, at)))
    await gate.holds(4)
    gate.open()
    t.same((await all).map(reply => reply.status), [200, 200, 200, 200], 'every slot can be used')
    t.equal(await rows(name), 8)
  }

  return { proxy, site, gate, list, post, gated, rows, useAllSlots }
}

const answer = ({ status, headers, json }: Reply) => `${status} ${json().code} ${headers['retry-after']}`
const lost = '503 connection_lost 1'
const late = '503 statement_timeout 1'

async function timed<T> (work: () => Promise<T>): Promise<[T, ms: number]> {
  const started = performance.now()
  return [await work(), performance.now() - started]
}

t.test('F8: a network that swallows everything is answered 503 within the deadline, and leaves no slot stuck', async t => {
  const { proxy, site, list, post, rows, useAllSlots } = await scene(t)
  await useAllSlots('before')
  proxy.frozen = true
  const [replies, ms] = await timed(() => Promise.all([
    ...hosts.flatMap(at => [list(at), post('swallowed', at), list(at), post('swallowed', at)]),
    list('tenant-7.localhost') // the directory would have to be asked
  ]))
  const busy = '503 pool_busy 1'
  t.same(replies.map(answer).toSorted(), [busy, busy, busy, busy, late, late, late, late, late], 'four had a slot, four waited for one')
  t.ok(ms < limits.reply + 1000, `in ${ms} ms`)
  t.equal((await site.get(host, '/healthz')).status, 200)
  proxy.frozen = false
  await useAllSlots('after')
  t.same([await rows('swallowed'), (await list('tenant-7.localhost')).status], [0, 404])
})

t.test('F8: a connection that was being opened meanwhile is given up, and the next request is not kept waiting for it', async t => {
  const { proxy, list, post } = await scene(t)
  await post('prepares') // the account is known
  proxy.reset()
  t.equal((await list('tenant-7.localhost')).status, 404) // the directory has a connection again, the pool none
  proxy.frozen = true
  t.match(answer(await post('swallowed')), /^503 (pool_busy|database_unavailable) 1$/)
  proxy.frozen = false
  // Who comes before the attempt is given up hears of that at once, and tries again; who waited for it would be refused after two seconds.
  t.ok(await until(async () => (await post('next')).status === 201, 1_000))
})

t.test('F9: a RST costs the transactions that were open, at once, and no other', async t => {
  const { proxy, gate, list, post, gated, rows } = await scene(t)
  await post('prepares')
  for (const [name, nth] of [['first statement', 1], ['second statement', 2]] as const) {
    let times = 0
    proxy.onSaid = text => text.includes(name) && ++times === nth ? 'reset' : undefined
    const reply = gated(name)
    if (nth === 2) {
      await gate.holds(1)
      gate.open()
    }
    const [answered, ms] = await timed(() => reply)
    t.equal(answer(answered), lost, name)
    t.ok(ms < limits.acquire, `nothing was waited for: ${ms} ms`)
    t.same([times, (await post(name)).status, await rows(name)], [nth, 201, 1], 'the next one is served')
  }

  const both = Promise.all(hosts.map(at => gated('between statements', at)))
  await gate.holds(2)
  proxy.reset()
  gate.open()
  t.same((await both).map(answer), [lost, lost])
  t.same((await Promise.all(hosts.map(list))).map(reply => reply.status), [200, 200])
  proxy.reset()
  t.same((await Promise.all(hosts.map(list))).map(reply => reply.status), [200, 200], 'a connection that died idle is not lent')
  t.equal(await rows('between statements'), 0)
})

t.test('F10: connections of which only our half is left are given up within the deadline', async t => {
  const { proxy, list, post, rows, useAllSlots } = await scene(t)
  await useAllSlots('before')
  const before = proxy.said.length
  const lookedUp = async () => { // again, all that are in use, as it does every four seconds
    await list()
    return proxy.said.includes('["tenant-', before)
  }
  t.ok(await until(lookedUp, 10_000), 'the directory has nothing to look up again, so that both of its connections are free')
  await sleep(300) // for its answer
  proxy.strand()
  const [replies, ms] = await timed(() => Promise.all([
    ...hosts.flatMap(at => [list(at), post('nowhere', at)]),
    list('tenant-7.localhost'),
    list('tenant-8.localhost')
  ]))
  t.same(replies.map(answer), Array(6).fill(late))
  t.ok(ms < limits.reply + 1000, `in ${ms} ms`)
  await useAllSlots('after')
  t.same([await rows('nowhere'), (await list()).status], [0, 200])
})

t.test('F10: a server that hears and is not heard: what we say was not saved is not', async t => {
  const { proxy, post, rows } = await scene(t)
  await post('prepares')
  proxy.frozen = 'answers'
  t.equal(answer(await post('unheard')), late)
  proxy.frozen = false
  t.equal((await post('heard')).status, 201)
  t.same([await rows('unheard'), await rows('heard')], [0, 1])
})

t.test('F10: a COMMIT that is heard and not answered is unknown; of a read, nobody has to know', async t => {
  const { proxy, list, post, rows } = await scene(t)
  await post('prepares')
  proxy.onSaid = text => {
    if (text.includes('commit')) proxy.frozen = 'answers'
    return undefined
  }
  const [reply, ms] = await timed(() => post('perhaps'))
  t.equal(answer(reply), '503 commit_unknown 1')
  t.ok(ms < limits.reply + 1000, `in ${ms} ms`)
  t.equal(await rows('perhaps'), 1, 'here it was kept')
  proxy.frozen = false
  t.equal((await list()).status, 200)
  await sleep(100)
  t.equal(proxy.frozen, 'answers', 'a read waits for no COMMIT: it was answered though the server\'s answer was not')
  proxy.reset() // closing would wait for it
})

t.test('F11: 200 ms away, a listing waits for one round trip and a write for three', async t => {
  const { proxy, list, post } = await scene(t, { poolMax: 2 }) // so that an account has one connection, on which all is prepared
  const away = 200
  for (const [work, trips] of [[list, 1], [() => post('far'), 3]] as const) {
    await work()
    await work()
    proxy.delay = away / 2
    await work() // if the directory had to be asked again, it has been
    await sleep(2 * away) // until a read's COMMIT is answered, too
    const turns = []
    for (let n = 0; n < 2; n++) { // meanwhile the directory may look once after the hosts that are in use, which nobody waits for
      proxy.turns = 0
      const [reply, ms] = await timed(work)
      t.ok(reply.status < 300)
      await sleep(away)
      turns.push(proxy.turns)
      t.ok(ms > away && ms < 1000 + 4 * away, `${ms} ms`)
    }
    t.equal(Math.min(...turns), trips, 'BEGIN, enter, all queries and a read\'s COMMIT together; what a write says in the log, and its COMMIT')
    proxy.delay = 0
  }
})
