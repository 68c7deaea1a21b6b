// Injected SQL. First: for each place where text could reach SQL, it does not; it is refused before anything is sent, or it arrives as a
// value. Then: even if it did, arbitrary SQL inside A's transaction reads and writes nothing of B, and leaves nothing to the next tenant.
import { type SQL, asc, eq, inArray, like, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import t, { type Test } from 'tap'
import { accounts, projects, subtasks, tasks, users } from '../../src/db/schema.ts'
import { AppError, sqlState } from '../../src/errors.ts'
import { createDirectory } from '../../src/tenancy/directory.ts'
import { innerJoin } from '../../src/tenancy/query.ts'
import type { Tenant } from '../../src/tenancy/scope.ts'
import { createTenancy } from '../../src/tenancy/tenancy.ts'
import { furnish } from '../support/accounts.ts'
import { A, B, contextOf, testDatabase, testTenancy } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { testProxy } from '../support/proxy.ts'
import { everythingOf, plant } from '../support/rows.ts'
import { type Lock, signing } from '../support/server.ts'
import { messagesOf, parsed } from '../support/messages.ts'
import { leftovers, programs } from './attacks/programs.ts'
import { raw } from '../support/raw.ts'

t.jobs = 4 // each has a database of its own, and much to wait for

const mark = 'zq7' // in each of them, and in nothing of ours
const hostile = [
  `${mark}'; drop table tasks; --`, `${mark}"; drop table tasks; --`, `${mark}" = "${mark}" or "name`, `${mark}' or '1'='1`, `') or true -- ${mark}`,
  `${mark}$1`, `$$ select 1 $$ ${mark}`, `${mark}\\'; select 1 --`, `*/ select 1 /* ${mark}`, `(select password_hash from users) ${mark}`,
  `set_config('app.current_tenant', '2', true) ${mark}`, `${mark}","{NULL},{"a"}`, `NULL ${mark}`, `${mark}\\`, `${mark}\r\n\t`, `${mark}%s%n{{7*7}}`, `${mark}\u2028\u{1F600}`
]

const ascii = (text: string) => JSON.stringify(text).replace(/[^ -~]/g, sign => `\\u${sign.charCodeAt(0).toString(16)}`)

async function scene (t: Test, lock: Lock = 'revoked') {
  const database = (await testDatabase(t, lock)).direct
  await plant(database.admin, A, B)
  const proxy = await testProxy(t, database.appUrl)
  const tenancy = createTenancy({ url: proxy.url(database.appUrl), poolMax: 1, signing: lock === 'signed' ? signing : undefined })
  t.teardown(() => tenancy.close())
  /** The text of every statement that was sent, by either protocol. */
  const texts = () => messagesOf(proxy.said).flatMap(message => message.type === 'P' ? [parsed(message).text] : message.type === 'Q' ? [message.body] : [])
  return { database, proxy, tenancy, texts }
}

const project = { name: 'x' }
/** Each is code as nobody would write it, with the text at a place where a value is not meant to be. */
const places: Record<string, (tenant: Tenant, text: string) => Promise<unknown>> = {
  'a column of a match': (tenant, text) => tenant.get(projects, { [text]: 'x' } as never),
  'a column of a count': (tenant, text) => tenant.count(projects, { [text]: 'x' } as never),
  'a column of a delete': (tenant, text) => tenant.delete(projects, { [text]: 'x' } as never),
  'a column of an insert': (tenant, text) => tenant.insert(projects, { ...project, [text]: 'x' } as never),
  'a column of many inserts': (tenant, text) => tenant.insertMany(projects, [{ ...project, [text]: 'x' } as never]),
  'a column of an update': (tenant, text) => tenant.update(projects, {}, { [text]: 'x' } as never),
  'a table': (tenant, text) => tenant.count(text as never),
  'a table to select from': (tenant, text) => tenant.select({ from: text as never, columns: { name: projects.name } as never }),
  'an alias': (tenant, text) => tenant.count(alias(projects, text) as never),
  'an alias in a join': (tenant, text) => tenant.select({ from: tasks, joins: [innerJoin(alias(projects, text) as never, sql`true`)], columns: { id: tasks.id } }),
  'a selected column': (tenant, text) => tenant.select({ from: projects, columns: { it: text as never } }),
  'a selected column of SQL': (tenant, text) => tenant.select({ from: projects, columns: { it: sql.raw(text) as never } }),
  'a selected column with an alias': (tenant, text) => tenant.select({ from: projects, columns: { it: sql`${projects.name}`.as(text) as never } }),
  'a condition of raw SQL': (tenant, text) => tenant.count(projects, sql.raw(text)),
  'an identifier in a condition': (tenant, text) => tenant.count(projects, sql`${sql.identifier(text)} is null`),
  'raw SQL within a condition': (tenant, text) => tenant.count(projects, or(eq(projects.name, 'x'), sql`not ${sql.raw(text)}`)!),
  'an identifier in an update\'s condition': (tenant, text) => tenant.update(projects, sql`${sql.identifier(text)} is null`, project),
  'raw SQL in a delete\'s condition': (tenant, text) => tenant.delete(projects, sql.raw(`true or ${text}`)),
  'raw SQL in an order': (tenant, text) => tenant.select({ from: projects, columns: { id: projects.id }, orderBy: [sql.raw(text)] }),
  'an identifier in an order': (tenant, text) => tenant.select({ from: projects, columns: { id: projects.id }, orderBy: [asc(sql.identifier(text) as never)] }),
  'raw SQL in a join': (tenant, text) => tenant.select({ from: tasks, joins: [innerJoin(projects, sql.raw(text))], columns: { id: tasks.id } }),
  'a limit': (tenant, text) => tenant.select({ from: projects, columns: { id: projects.id }, limit: text as never }),
  'an offset of SQL': (tenant, text) => tenant.select({ from: projects, columns: { id: projects.id }, offset: sql.raw(text) as never }),
  'a group of a tally': (tenant, text) => tenant.tally({ from: projects, by: { it: sql.raw(text) as never }, which: {} }),
  'what a tally counts': (tenant, text) => tenant.tally({ from: subtasks, by: {}, which: { it: sql.raw(text) as never } }),
  'a condition of a tally': (tenant, text) => tenant.tally({ from: projects, by: {}, which: {}, where: sql.raw(text) }),
  'the limit of a tally': (tenant, text) => tenant.tally({ from: projects, by: { name: projects.name }, which: {}, limit: text as never }),
  'SQL as a value': (tenant, text) => tenant.get(projects, { name: sql.raw(text) as never }),
  'SQL as a value to write': (tenant, text) => tenant.update(projects, {}, { name: sql.raw(text) as never }),
  'SQL as a value of an insert': (tenant, text) => tenant.insert(projects, { name: sql.raw(text) as never }),
  'SQL as one of many values': (tenant, text) => tenant.insertMany(projects, [{ name: sql.raw(text) as never }]),
  'a made-up piece of SQL': (tenant, text) => tenant.get(projects, { name: { queryChunks: [{ value: [text] }] } as never }),
  'a made-up placeholder': (tenant, text) => tenant.get(projects, { name: { name: text } as never }),
  'an array as a value': (tenant, text) => tenant.get(projects, { name: [text] as never }),
  'the account of a part': (tenant, text) => tenant.nested(text as never, inner => inner.count(projects))
}

t.test('at these places text is refused in our own words, and nothing is sent', async t => {
  const { tenancy, texts, database } = await scene(t)
  const before = [await everythingOf(database.admin, A), await everythingOf(database.admin, B)]
  await tenancy.withTenant(A, tenant => tenant.count(projects))
  for (const [place, attempt] of Object.entries(places)) {
    for (const text of hostile) {
      const sent = texts().length
      const error = await tenancy.withTenant(A, tenant => attempt(tenant, text)).then(() => 'nothing was refused', error => error)
      t.ok(error instanceof AppError || error instanceof TypeError, `${place}: ${ascii(`${text}: ${error.code ?? error.message ?? error}`)}`)
      t.same(texts().slice(sent).filter(each => !/^(begin|select tenancy\.enter|commit|rollback)/.test(each)), [], place)
    }
  }
  t.same([await everythingOf(database.admin, A), await everythingOf(database.admin, B)], before)
})

t.test('at these it arrives as a value, whatever it says', async t => {
  const { tenancy, texts, database } = await scene(t)
  const before = await everythingOf(database.admin, B)
  const where = (condition: SQL) => (tenant: Tenant) => tenant.select({ from: projects, columns: { name: projects.name }, where: condition })
  for (const text of hostile) {
    const name = ascii(text)
    await tenancy.withTenant(A, async tenant => {
      const { id } = await tenant.insert(projects, { name: text, details: text })
      t.match(await tenant.get(projects, { id }), { name: text, details: text }, name)
      t.equal((await tenant.get(projects, { name: text }))?.id, id)
      t.equal((await tenant.update(projects, { name: text }, { details: `again ${text}` }))[0]?.details, `again ${text}`)
      for (const condition of [eq(projects.name, text), inArray(projects.name, [text]), sql`${projects.name} = ${text}`, sql`${text} = ${projects.name}`]) {
        t.same(await where(condition)(tenant), [{ name: text }])
      }
      const byName = { from: projects, columns: { [text]: projects.name }, where: eq(projects.name, sql.placeholder(text)) }
      t.same(await tenant.select(byName, { [text]: text }), [{ [text]: text }], 'the name of a placeholder, and of what comes back')
      const ordered = { from: projects, columns: { name: projects.name }, where: eq(projects.id, id), orderBy: [text as never] }
      t.same(await tenant.select(ordered), [{ name: text }], 'an order by a value')
      await t.resolves(where(like(projects.name, text.replaceAll('\\', '\\\\')))(tenant)) // a pattern's own sign
      t.equal(await tenant.delete(projects, { name: text }), 1)
    })
    await t.rejects(tenancy.withTenant(A, tenant => tenant.count(projects, text as never)), `${name} as a condition`)
    await t.rejects(tenancy.withTenant(A, tenant => tenant.get(projects, { id: text })), { code: '22P02' }, `${name} as an id`)
    const limited = { from: projects, columns: { id: projects.id }, limit: sql.placeholder('n') }
    await t.rejects(tenancy.withTenant(A, tenant => tenant.select(limited, { n: text })), `${name} as a limit`)
  }
  await tenancy.withTenant(A, async tenant => {
    const odd = [...hostile, 'NULL', 'null', '{}', '{', '"', "'", '\\', ',', ' ', '{"a",b}']
    t.equal(await tenant.insertMany(projects, odd.map(text => ({ name: text, details: text }))), odd.length)
    const stored = await tenant.select({ from: projects, columns: { name: projects.name, details: projects.details } })
    for (const text of odd) t.ok(stored.some(row => row.name === text && row.details === text), `one of many: ${ascii(text)}`)
  })
  t.same(texts().filter(text => text.includes(mark)), [], 'never as a part of a statement')
  t.equal(await everythingOf(database.admin, B), before)
})

t.test('a host is a value', async t => {
  const { database, proxy } = await scene(t)
  const directory = createDirectory(proxy.url(database.appUrl))
  t.teardown(() => directory.close())
  for (const host of hostile) t.equal(await directory.resolve(host), undefined, ascii(host))
  t.same(messagesOf(proxy.said).filter(({ type }) => type === 'P').map(message => parsed(message).text), ['select * from tenancy.resolve(array(select json_array_elements_text($1::json)))'])
})

t.test('what comes by HTTP does not reach the database as text', async t => {
  const database = (await testDatabase(t)).direct
  await furnish(t, database, 3, 5)
  const proxy = await testProxy(t, database.appUrl)
  const site = await testSite(t, { ...database, appUrl: proxy.url(database.appUrl) })
  for (const text of hostile) {
    const encoded = encodeURIComponent(text)
    const queries = ['page=', 'limit=', 'sort=', ''].map(name => `/api/subtasks?${name}${encoded}`)
    for (const path of [...queries, `/subtasks/${encoded}/`, `/${encoded}`]) {
      const { status, body } = await site.get('tenant-0.localhost', path)
      t.ok(status === 400 || status === 404, `${status} ${path}`)
      t.notMatch(body, / of 2|syntax error|PostgresError/)
    }
    if (!/[\r\n\u0100-\u{10ffff}]/u.test(text)) t.ok([404, 421].includes((await site.get(`${text}.localhost`, '/api/subtasks').catch(() => ({ status: 421 }))).status))
  }
  t.notOk(proxy.said.includes(mark))
  t.equal((await site.get('tenant-0.localhost', '/api/subtasks')).json().total, 3)
})

for (const lock of ['revoked', 'signed'] as const) {
  t.test(`arbitrary SQL in A's transaction reads and writes nothing of B, and leaves nothing to the next tenant (lock: ${lock})`, async t => {
    const { database, tenancy } = await scene(t, lock)
    await database.admin`update users set date_joined = '2026-02-01 10:00:00+00'`
    const before = await everythingOf(database.admin, B)
    const scenes = { own: contextOf(lock, A), forged: lock === 'signed' ? `${B}.9999999999.${'0'.repeat(64)}` : String(B), foreign: contextOf(lock, B) }

    for (const [what, program] of Object.entries(programs(scenes))) {
      for (const end of ['commit', 'rollback'] as const) {
        const name = `${what}, then ${end}`
        const { transaction, tenant } = tenancy.begin(A, 'read write')
        const seen: postgres.Row[] = []
        const answers: string[] = []
        for (const text of program) {
          const statement = sql.raw(text)
          const asked = raw(transaction, statement)
          answers.push(await asked.then(rows => { seen.push(...rows); return 'allowed' }, error => sqlState(error) ?? error.code))
        }
        t.notOk(JSON.stringify(seen).match(/of 2|"account_id":"?2/), `${name}: ${answers}`)
        await tenant.count(tasks).catch(() => {})
        await transaction[end]().catch(() => {})

        t.same(await asNext(B), { tasks: [`name of ${B}`], joined: '2026-02-01T10:00:00.000Z', leftovers: [] }, `${name}: B is served as ever`)
        t.equal(await everythingOf(database.admin, B), before, `${name}: B is as it was`)
      }
    }

    /** What a tenant sees who gets the slot next, and what is left in the session. */
    async function asNext (account: typeof A) {
      const { transaction, tenant } = tenancy.begin(account, 'read write')
      try {
        const seen = await tenant.select({ from: tasks, columns: { name: tasks.name } })
        const [user] = await tenant.select({ from: users, columns: { joined: users.dateJoined } })
        const left = await raw(transaction, sql.raw(leftovers))
        return { tasks: seen.map(({ name }) => name.replace(/ cnry_\w+$/, '')), joined: user?.joined.toISOString(), leftovers: left.map(row => row.it) }
      } finally {
        await transaction.rollback()
      }
    }
  })
}

t.test('with signing, a slot that is poisoned all the same is retired, and the next one serves', async t => {
  const { direct: database } = await testDatabase(t, 'signed')
  await plant(database.admin, A, B)
  const tenancy = testTenancy(t, database, { poolMax: 2 })
  await tenancy.withTenant(A, tenant => tenant.count(tasks))
  await database.admin.unsafe('alter function tenancy.enter rename to enter_no_more')
  await t.rejects(tenancy.withTenant(B, tenant => tenant.count(accounts)), { code: '42883' })
  await database.admin.unsafe('alter function tenancy.enter_no_more rename to enter')
  t.equal(await tenancy.withTenant(B, tenant => tenant.count(accounts)), 1)
})
