// A POST with an Idempotency-Key takes effect once, however often it is sent and wherever it is cut off.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { furnish } from '../support/accounts.ts'
import { endConnections, testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { posting, faultRoutes } from '../support/fault-routes.ts'
import { testProxy } from '../support/proxy.ts'

const [host, neighbour] = ['tenant-0.localhost', 'tenant-1.localhost']

async function scene (t: Test) {
  const database = await testDatabase(t)
  await furnish(t, database, 1, 1)
  const proxy = await testProxy(t, database.appUrl)
  const site = await testSite(t, { ...database, appUrl: proxy.url(database.appUrl) }, {}, faultRoutes)
  const rows = async (name: string) => (await database.admin`select count(*)::int as n from projects where name = ${name}`)[0]!.n
  const keys = async () => (await database.admin`select key from idempotency_keys order by 1`).map(row => row.key)
  const post = (name: string, key?: string, at = host) => site.get(at, '/api/projects', posting(name, key))
  return { database, proxy, site, rows, keys, post }
}

t.test('the same key and request: one row, and the same reply', async t => {
  const { post, rows, keys } = await scene(t)
  const first = await post('once', 'key-1')
  t.equal(first.status, 201)
  t.notOk(first.headers['idempotency-replayed'])
  const again = await post('once', 'key-1')
  t.same([again.status, again.body, again.headers.location], [201, first.body, first.headers.location])
  t.same([again.headers['content-type'], again.headers['idempotency-replayed']], [first.headers['content-type'], 'true'])
  t.equal(await rows('once'), 1)

  t.equal((await post('once', 'key-1', neighbour)).status, 201, 'another account\'s keys are its own')
  t.equal((await post('once')).status, 201, 'and without a key, each is a new one')
  t.equal(await rows('once'), 3)
  t.same(await keys(), ['key-1', 'key-1'])
})

t.test('D6 92: the same key and another request is refused; a key that is none, too', async t => {
  const { site, post, rows } = await scene(t)
  await post('mine', 'key-1')
  const { status, body, json } = await post('other', 'key-1')
  t.match({ status, ...json() }, { status: 422, code: 'idempotency_key_reused' }, body)
  t.equal((await site.get(host, '/api/faults/pair', posting('mine', 'key-1'))).json().code, 'idempotency_key_reused', 'another address')
  for (const key of ['', 'two words', 'x'.repeat(256), 'caf\u00e9', 'a\tb']) {
    const { status, json } = await post('bad', key)
    t.match({ status, ...json() }, { status: 400, code: 'bad_request', title: /Idempotency-Key/ }, JSON.stringify(key))
  }
  t.same([await rows('other'), await rows('bad')], [0, 0])
})

t.test('an error keeps nothing, so the same key may be tried again', async t => {
  const { site, post, keys, rows } = await scene(t)
  const nowhere = { ...posting('lost', 'key-1'), payload: JSON.stringify({ projectId: '00000000-0000-0000-0000-000000000000', name: 'lost' }) }
  t.equal((await site.get(host, '/api/tasks', nowhere)).json().code, 'reference_missing')
  t.same(await keys(), [])
  t.equal((await post('better', 'key-1')).status, 201)
  t.equal(await rows('better'), 1)
})

t.test('F12: cut at COMMIT, it is not known; sent again, there is exactly one row', async t => {
  const { proxy, post, rows } = await scene(t)
  for (const [key, when] of [['kept', 'after'], ['lost', 'before']] as const) {
    proxy.onSaid = text => text.includes('commit') ? (when === 'after' ? 'cut' : 'reset') : undefined
    const { status, headers, json } = await post(key, key)
    t.match({ status, ...json() }, { status: 503, code: 'commit_unknown' }, `cut ${when} the server had it`)
    t.equal(headers['retry-after'], '1')
    proxy.onSaid = undefined
    t.equal(await rows(key), when === 'after' ? 1 : 0)
    const again = await post(key, key)
    t.same([again.status, again.json().name, again.headers['idempotency-replayed']], [201, key, when === 'after' ? 'true' : undefined])
    t.equal(await rows(key), 1)
  }
})

t.test('sent again while the first one runs, it waits for its reply; past the lock timeout, it is told so', async t => {
  const { site, rows, database } = await scene(t)
  const pair = (name: string) => site.get(host, '/api/faults/pair', posting(name, name))
  const [one, two] = await Promise.all([pair('both'), pair('both')])
  t.same([one.status, two.status], [200, 200])
  t.same([one, two].filter(reply => reply.headers['idempotency-replayed']).length, 1)
  t.equal(await rows('both'), 2, 'one pair')

  await database.admin.unsafe(`alter role rowhouse_app in database ${database.name} set lock_timeout = '100ms'`)
  await endConnections(database)
  await sleep(100)
  const first = pair('long')
  await sleep(250)
  const { status, headers, json } = await pair('long')
  t.match({ status, ...json() }, { status: 409, code: 'in_progress' })
  t.equal(headers['retry-after'], '1')
  t.equal((await first).status, 200)
  t.equal(await rows('long'), 2)
})

t.test('a key is good for a day, and gone soon after', async t => {
  const { database, post, rows, keys } = await scene(t)
  const age = (key: string, account: number) => database.admin`
    insert into idempotency_keys (account_id, id, key, fingerprint, created_at) values (${account}, gen_random_uuid(), ${key}, '', now() - interval '25 hours')`
  const swept = async (...left: string[]) => {
    for (let i = 0; i < 200 && (await keys()).join() !== left.join(); i++) await sleep(20)
    t.same(await keys(), left)
  }
  await age('old', 1)
  await age('other', 2)
  await post('first', 'key-1')
  await swept('key-1', 'other')
  await database.admin`update idempotency_keys set created_at = now() - interval '25 hours' where key = 'key-1'`
  await age('older', 1)
  t.equal((await post('second', 'key-1')).status, 201, 'yesterday\'s key is a new one')
  t.equal(await rows('second'), 1)
  await sleep(300)
  t.same(await keys(), ['key-1', 'older', 'other'], 'an account is swept once an hour at the most')
  await post('third', 'key-2', neighbour)
  await swept('key-1', 'key-2', 'older')
})
