// PREPARED_STATEMENTS=off, on the wire: no statement has a name, and none of the application's leaves the extended protocol for it.
import { like } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { projects } from '../../src/db/schema.ts'
import { createDirectory } from '../../src/tenancy/directory.ts'
import { createTenancy } from '../../src/tenancy/tenancy.ts'
import { until } from '../support/until.ts'
import { A, B, testDatabase } from '../support/database.ts'
import { testProxy } from '../support/proxy.ts'
import { plant } from '../support/rows.ts'
import { type Lock, signing } from '../support/server.ts'
import { messagesOf, parsed } from '../support/messages.ts'

async function scene (t: Test, { lock = 'revoked' as Lock, keys = signing, preparedStatements = false } = {}) {
  const database = (await testDatabase(t, lock)).direct
  await plant(database.admin, A, B)
  const proxy = await testProxy(t, database.appUrl)
  const url = proxy.url(database.appUrl)
  const tenancy = createTenancy({ url, poolMax: 2, signing: lock === 'signed' ? keys : undefined, preparedStatements })
  t.teardown(() => tenancy.close())
  return { database, proxy, url, tenancy }
}

t.test('no statement has a name; only BEGIN, COMMIT and their like are simple queries', async t => {
  const { proxy, tenancy } = await scene(t)
  for (const account of [A, B, A]) {
    await tenancy.withTenant(account, async tenant => {
      t.same(await Promise.all([tenant.count(projects), tenant.get(projects, like(projects.name, `name of ${account} %`))]).then(([n, row]) => [n, row?.accountId]), [1, account])
      await tenant.nested(account, inner => inner.update(projects, {}, { details: 'new' }))
    })
  }
  t.equal(proxy.connections, 1)
  const messages = messagesOf(proxy.said)
  const texts = messages.filter(({ type }) => type === 'P').map(parsed)
  t.ok(texts.length >= 12 && texts.some(({ text }) => text.startsWith('update "projects"')), `${texts.length} statements`)
  t.same(texts.filter(({ name }) => name !== ''), [], 'unnamed')
  t.same([...new Set(messages.filter(({ type }) => type === 'Q').map(({ body }) => body.replace(/[;\0].*/s, '')))].toSorted(),
    ['begin read write', 'commit', 'release savepoint part', 'savepoint part', 'select 1'])
})

t.test('with the setting on they have, so the test above can see it', async t => {
  const { proxy, tenancy } = await scene(t, { preparedStatements: true })
  await tenancy.withTenant(A, tenant => tenant.count(projects))
  t.ok(messagesOf(proxy.said).filter(({ type }) => type === 'P').map(parsed).every(({ name }) => name !== ''))
})

t.test('BEGIN and enter still leave together, before anything else; what follows waits for what it is told of its parameters', async t => {
  const { proxy, tenancy } = await scene(t)
  await tenancy.withTenant(A, tenant => tenant.count(projects))
  proxy.turns = 0
  const before = proxy.said.length
  await tenancy.withTenant(A, tenant => Promise.all([tenant.count(projects), tenant.count(projects, { name: 'x' })]), 'read only')
  await until(() => proxy.said.includes('commit', before)) // which nobody waits for
  const order = ['begin read only', 'select tenancy.enter($1)', 'select count(*)', 'commit'].map(text => proxy.said.indexOf(text, before))
  t.ok(order.every(at => at >= before))
  t.same(order, order.toSorted((a, b) => a - b))
  t.equal(proxy.turns, 7, 'BEGIN leaves with the question about enter\'s parameter; then each of three statements takes two round trips, and COMMIT one')
})

t.test('an enter that fails lets nothing through', async t => {
  const { tenancy, database } = await scene(t, { lock: 'signed', keys: { ...signing, current: 'a key that the database does not know' } })
  await t.rejects(tenancy.withTenant(A, tenant => Promise.all([tenant.count(projects), tenant.insert(projects, { name: 'new' })])), { code: '42501' })
  await database.admin.unsafe('alter function tenancy.enter rename to enter_no_more')
  await t.rejects(tenancy.withTenant(A, tenant => Promise.all([tenant.insert(projects, { name: 'new' }), tenant.count(projects)])), { code: '42883' })
  const [row] = await database.admin`select count(*)::int as n from projects where name = 'new'`
  t.equal(row!.n, 0)
})

for (const point of ['begin read write', 'tenancy.enter', 'select count']) {
  t.test(`a connection that is cut at ${point} shows nothing, and the next one does`, async t => {
    const { tenancy, proxy } = await scene(t)
    proxy.onSaid = text => text.includes(point) ? 'cut' : undefined
    await t.rejects(tenancy.withTenant(A, tenant => tenant.count(projects)), { code: 'connection_lost', statusCode: 503 })
    proxy.onSaid = undefined
    t.equal(await tenancy.withTenant(B, tenant => tenant.count(projects)), 1)
    t.equal(proxy.connections, 2)
  })
}

t.test('the directory speaks so, too', async t => {
  const { proxy, url } = await scene(t)
  const directory = createDirectory(url, { preparedStatements: false })
  t.teardown(() => directory.close())
  t.equal(await directory.resolve('nobody.localhost'), undefined)
  const texts = messagesOf(proxy.said).filter(({ type }) => type === 'P').map(parsed)
  t.same(texts, [{ name: '', text: 'select * from tenancy.resolve(array(select json_array_elements_text($1::json)))' }])
})

t.test('a statement that is none of those that the application asks is not sent', async t => {
  const { proxy, url } = await scene(t)
  const directory = createDirectory(url)
  t.teardown(() => directory.close())
  for (const text of ["set app.current_tenant = '2'", '/**/ set x.y = 1', '-- select\nreset all', 'do $$ begin end $$', 'lock tasks', 'explain select 1', 'listen x',
    'declare c cursor for select 1', 'prepare p as select 1', 'deallocate all', 'copy tasks to stdout', ';select 1', '', 'selects', "alter role rowhouse_app password 'x'"]) {
    await t.rejects(directory.ask(text), { code: 'statement_refused' }, JSON.stringify(text))
  }
  t.same(messagesOf(proxy.said).filter(({ type }) => type === 'P'), [])
  for (const text of ['select 1', '\n  SELECT 1', 'with x as (select 1) select * from x', 'delete from tasks where false']) await t.resolves(directory.ask(text), text)
})
