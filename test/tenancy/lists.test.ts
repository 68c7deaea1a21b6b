// Lists by filters and orders: with cursors each row comes exactly once, whatever is asked. On a role that row-level security does not
// bind, beside an account that has the same ids, so that the filters of the statements alone keep the two apart.
import { type SQL, and, desc, eq, gte, or, placeholder, sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { directory, idempotencyKeys, projects, subtasks, tasks, users } from '../../src/db/schema.ts'
import { lists } from '../../src/tenancy/lists.ts'
import { type AnyQuery, type PageOf, contains, innerJoin, leftJoin, query, theEnd } from '../../src/tenancy/query.ts'
import type { Tenant } from '../../src/tenancy/scope.ts'
import { Slot } from '../../src/tenancy/slot.ts'
import { A, B, testDatabase, testTenancy } from '../support/database.ts'
import { watchSecondWall } from '../support/second-wall.ts'

const listing = lists({
  from: subtasks,
  joins: [innerJoin(tasks, eq(tasks.id, subtasks.taskId)), innerJoin(projects, eq(projects.id, tasks.projectId))],
  columns: {
    id: subtasks.id, account: subtasks.accountId, title: subtasks.name, complete: subtasks.isComplete, task: tasks.name, project: projects.name
  },
  filters: {
    project: value => eq(tasks.projectId, value),
    task: value => eq(subtasks.taskId, value),
    complete: value => eq(subtasks.isComplete, value),
    q: value => contains(subtasks.name, value),
    inProject: value => contains(projects.name, value)
  },
  sorts: {
    name: [subtasks.name, subtasks.id],
    id: [subtasks.id],
    complete: [subtasks.isComplete, subtasks.name, subtasks.id],
    mixed: [desc(subtasks.isComplete), subtasks.name, desc(subtasks.id)]
  }
})
type Given = NonNullable<Parameters<typeof listing.list>[0]>
type Sort = typeof listing.sorts[number]

const idOf = (kind: number, n: number) => `00000000-0000-7000-800${kind}-${String(n).padStart(12, '0')}`
const [projectIds, taskIds] = [[0, 1, 2].map(n => idOf(1, n)), [0, 1, 2, 3, 4].map(n => idOf(2, n))]
const rows = Array.from({ length: 47 }, (_, n) => ({
  id: idOf(3, (n * 29) % 47), taskId: taskIds[n % 4]!, name: `${['paint', 'Sweep', 'sweep', 'Paint'][n % 4 ^ n % 3]} ${n % 5}`, isComplete: n % 3 === 0
}))
const projectOf = (row: typeof rows[number]) => taskIds.indexOf(row.taskId) % 3

/** The same rows in both accounts, by the same ids; the last task and the last project of B have all that A's have, too. */
async function scene (t: Test) {
  const database = await testDatabase(t)
  const tenancy = testTenancy(t, database, { url: database.bypassUrl })
  for (const account of [A, B]) {
    await database.admin`insert into accounts (account_id, slug, name) values (${account}, ${`a${account}`}, 'x')`
    await tenancy.withTenant(account, async tenant => {
      await tenant.insertMany(projects, projectIds.map((id, n) => ({ id, name: `${account === A ? 'House' : 'Garden'} ${n}` })))
      await tenant.insertMany(tasks, taskIds.map((id, n) => ({ id, projectId: projectIds[account === A ? n % 3 : 2]!, name: 'x' })))
      await tenant.insertMany(subtasks, rows)
    })
  }
  return { database, tenancy, asA: <T>(work: (tenant: Tenant) => Promise<T>) => tenancy.withTenant(A, work, 'read only') }
}

/** All pages, one after the other. @param between is called after each but the last */
async function walk<R> (
  page: (from: string | undefined) => Promise<PageOf<R[]>>, between = async () => {}
): Promise<R[]> {
  const all: R[] = []
  for (let from: string | undefined, n = 0; n === 0 || from !== undefined; n++) {
    const { rows, next } = await page(from)
    all.push(...rows)
    const cursor = next() ?? undefined
    if (cursor === from && cursor !== undefined) throw new Error('a page leads to itself')
    if ((from = cursor) !== undefined) await between()
  }
  return all
}

type Plain = typeof rows[number]
const compare = (a: unknown, b: unknown) => (a as string) < (b as string) ? -1 : Number((a as string) > (b as string))
const by = (...keys: ((row: Plain) => unknown)[]) => (a: Plain, b: Plain) => keys.reduce((order, key) => order || compare(key(a), key(b)), 0)
const wanted: Record<string, (a: Plain, b: Plain) => number> = {
  name: by(row => row.name, row => row.id),
  id: by(row => row.id),
  complete: by(row => row.isComplete, row => row.name, row => row.id),
  mixed: (a, b) => by(row => !row.isComplete, row => row.name)(a, b) || -compare(a.id, b.id)
}
const passes = (row: Plain, { project, task, complete, q, inProject }: Given) =>
  (project === undefined || projectIds[projectOf(row)] === project) && (task === undefined || row.taskId === task) &&
  (complete === undefined || row.isComplete === complete) &&
  (q === undefined || row.name.toLowerCase().includes(String(q).toLowerCase())) &&
  (inProject === undefined || `house ${projectOf(row)}`.includes(String(inProject).toLowerCase()))
const expected = (given: Given, sort: Sort) => {
  const order = wanted[sort.replace('-', '')]!
  return rows.filter(row => passes(row, given)).toSorted(sort.startsWith('-') ? (a, b) => order(b, a) : order).map(({ id }) => id)
}

/** Each set of filters. */
const combinations = [
  { project: projectIds[0], task: taskIds[3], complete: false, q: 'SWEEP', inProject: 'house' }, { project: projectIds[1] }
].flatMap(values => Object.entries(values).reduce<Given[]>((sets, [name, value]) => [...sets, ...sets.map(set => ({ ...set, [name]: value }))], [{}]))

t.test('any filters in any order: each row once, in order, and counted', async t => {
  const { asA } = await scene(t)
  t.equal(listing.sorts.length, 8)
  for (const given of combinations) {
    for (const sort of listing.sorts) {
      const ids = expected(given, sort)
      const what = `${sort} ${JSON.stringify(given)}`
      const description = listing.list(given, sort)
      t.equal(listing.list({ ...given }, sort), description)
      const found = await walk(from => asA(tenant => tenant.page(description, { limit: 7, from }, given)))
      t.same(found.map(({ id }) => id), ids, what)
      t.ok(found.every(({ account, project }) => account === A && project.startsWith('House')), what)
      const first = await asA(tenant => tenant.page(description, { limit: 5, ahead: 20 }, given))
      const offset = await asA(tenant => tenant.page(description, { limit: 5, from: 5, ahead: 20 }, given))
      t.same([first.ahead, first.rows.length], [Math.min(20, ids.length), Math.min(5, ids.length)], what)
      t.same(offset.rows.map(({ id }) => id), ids.slice(5, 10), what)
      t.equal(offset.ahead, offset.rows.length && Math.min(20, ids.length - 5), what)
      const last = await asA(tenant => tenant.page(description, { limit: 5, from: theEnd, ahead: 20 }, given))
      t.same(last.rows.map(({ id }) => id), ids.slice(-5), what)
      t.same([last.ahead, last.next()], [Math.min(20, ids.length), null], what)
    }
  }
  t.ok(expected({ complete: false, q: 'SWEEP' }, 'name').length > 7, 'of which some take many pages')
})

t.test('rows that come and go meanwhile: those that stay come exactly once, in order', async t => {
  const { tenancy, asA } = await scene(t)
  for (const [i, sort] of listing.sorts.entries()) {
    let n = 0
    const passing: string[] = []
    const given = { q: 'e', complete: false }
    const found = await walk(from => asA(tenant => tenant.page(listing.list(given, sort), { limit: 3, from }, given)), () =>
      tenancy.withTenant(A, async tenant => {
        if (n > 0) await tenant.delete(subtasks, { id: passing.at(-1)! })
        for (const name of [' first e', `sweep ${n % 5}`, 'zz e']) {
          passing.push((await tenant.insert(subtasks, { id: idOf(4 + n % 5, i * 1000 + n++), taskId: taskIds[0]!, name })).id)
        }
      }))
    const ids = found.map(({ id }) => id)
    t.same(ids.filter(id => !passing.includes(id)), expected(given, sort), sort)
    t.equal(new Set(ids).size, ids.length, `${sort}: and none of the others twice`)
    await tenancy.withTenant(A, async tenant => { for (const id of passing) await tenant.delete(subtasks, { id }) })
  }
})

t.test('rows a microsecond apart', async t => {
  const { database, asA } = await scene(t)
  const people = lists({
    from: users,
    columns: { id: users.id, joined: users.dateJoined },
    filters: { since: value => gte(users.dateJoined, value) },
    sorts: { joined: [users.dateJoined, users.id] }
  })
  await database.admin`
    insert into users (account_id, id, email, first_name, last_name, password_hash, date_joined)
    select ${A}, lpad(((n * 7) % 20)::text, 32, '0')::uuid, n || '@example.com', 'x', 'x', 'x',
           timestamptz '2026-03-29 00:59:59.999990Z' + n / 2 * interval '1 microsecond' from generate_series(0, 19) as n`
  await database.admin`update users set date_joined = 'infinity' where email = '18@example.com'`
  await database.admin`update users set date_joined = '0044-03-15 BC' where email = '19@example.com'`
  const all = (await database.admin`select id::text from users order by date_joined, id`).map(row => row.id)
  for (const limit of [1, 3, 20]) {
    const page = (sort: 'joined' | '-joined') => (from: string | undefined) => asA(tenant => tenant.page(people.list({}, sort), { limit, from }))
    t.same((await walk(page('joined'))).map(({ id }) => id), all, `${limit} a page`)
    t.same((await walk(page('-joined'))).map(({ id }) => id), all.toReversed(), `${limit} a page, backwards`)
  }
  const since = '2026-03-29T00:59:59.999995Z'
  const late = await walk(from => asA(tenant => tenant.page(people.list({ since }), { limit: 2, from }, { since })))
  t.same(late.map(({ id }) => id), all.slice(11))
})

t.test('a cursor is good for its account, its order, its filters and their values', async t => {
  const { tenancy, asA } = await scene(t)
  const given = { project: projectIds[0], q: 'e' }
  const { next } = await asA(tenant => tenant.page(listing.list(given), { limit: 2 }, given))
  const from = next()!
  const tried = (given: Given, sort: Sort = 'name', cursor = from, account = A) =>
    tenancy.withTenant(account, tenant => tenant.page(listing.list(given, sort), { limit: 2, from: cursor }, given))
  await t.resolves(tried({ ...given }))
  await t.resolves(tried({ q: 'e', complete: undefined, project: projectIds[0] }), 'in whatever order they are given')
  for (const [what, attempt] of Object.entries<() => Promise<unknown>>({
    'another value': () => tried({ ...given, q: 'E' }),
    'another id': () => tried({ ...given, project: projectIds[1] }),
    'values that run together': () => tried({ project: `${projectIds[0]}"e`, q: '' }),
    'a filter less': () => tried({ q: 'e' }),
    'no filter': () => tried({}),
    'a filter more': () => tried({ ...given, complete: true }),
    'another filter of this value': () => tried({ project: projectIds[0], inProject: 'e' }),
    'another order': () => tried(given, 'id'),
    'the same order backwards': () => tried(given, '-name'),
    'another account': () => tried(given, 'name', from, B),
    'another table': () => asA(tenant => tenant.page({ from: tasks, columns: { id: tasks.id, name: tasks.name }, orderBy: [tasks.name, tasks.id] }, { limit: 2, from })),
    'a signature alone': () => tried(given, 'name', from.slice(0, 22)),
    nothing: () => tried(given, 'name', '')
  })) await t.rejects(attempt(), { code: 'cursor_invalid', statusCode: 400 }, what)
  for (let i = 0; i < from.length; i++) {
    const altered = from.slice(0, i) + (from[i] === 'A' ? 'B' : 'A') + from.slice(i + 1)
    await t.rejects(tried(given, 'name', altered), { code: 'cursor_invalid' }, `altered at ${i}`)
  }
})

t.test('a filter reaches nothing of another account', async t => {
  const { tenancy, asA } = await scene(t)
  await tenancy.withTenant(B, async tenant => {
    await tenant.insert(tasks, { id: idOf(2, 9), projectId: projectIds[0]!, name: 'of B alone' })
    await tenant.insert(subtasks, { id: idOf(3, 99), taskId: idOf(2, 9), name: 'of B alone' })
    await tenant.update(subtasks, { id: rows[0]!.id }, { taskId: idOf(2, 9) }) // in A it belongs to another
  })
  const count = async (given: Given) => (await asA(tenant => tenant.page(listing.list(given), { limit: 1, ahead: 100 }, given))).ahead
  t.equal(await count({ inProject: 'Garden' }), 0, 'a joined table is filtered')
  t.equal(await count({ inProject: 'House' }), 47)
  t.equal(await count({ q: 'of B' }), 0)
  t.equal(await count({ task: idOf(2, 9) }), 0)
  t.equal(await count({ project: projectIds[2] }), rows.filter(row => projectOf(row) === 2).length, 'B has all in this one')

  const orderBy = [subtasks.name, subtasks.id]
  const columns = { id: subtasks.id, name: subtasks.name, account: subtasks.accountId }
  const wide: SQL[] = [sql`${subtasks.isComplete} or true`, or(eq(subtasks.accountId, A), eq(subtasks.accountId, B))!, sql`true or ${tasks.accountId} = ${B}`]
  for (const where of wide) {
    for (const join of [innerJoin, leftJoin]) {
      const list = query({ from: subtasks, joins: [join(tasks, sql`${tasks.id} = ${subtasks.taskId} or false`)], columns, where, orderBy })
      const { ahead } = await asA(tenant => tenant.page(list, { limit: 10, ahead: 1_000 }))
      const found = await walk(from => asA(tenant => tenant.page(list, { limit: 10, from })))
      t.same([ahead, found.length, new Set(found.map(({ id }) => id)).size], [47, 47, 47], 'a condition of many parts stays one condition')
      t.ok(found.every(({ account }) => account === A))
    }
  }
  for (const stolen of [{ account: B }, { 'page limit': 1_000 }]) {
    const { rows } = await asA(tenant => tenant.page(query({ from: subtasks, columns, orderBy }), { limit: 2 }, stolen))
    t.same(rows.map(({ account }) => account), [A, A], 'values cannot fill what is not the filter\'s')
  }
})

t.test('row-level security had nothing to stop', async t => {
  const { database } = await scene(t)
  const { url, held } = watchSecondWall(t, database)
  const tenancy = testTenancy(t, database, { url })
  for (const given of [{}, { project: projectIds[0] }, { inProject: 'a', q: 'e' }]) {
    const found = await walk(from => tenancy.withTenant(A, tenant => tenant.page(listing.list(given), { limit: 9, from }, given)))
    t.same(found.map(({ id }) => id), expected(given, 'name'))
  }
  t.same(held, [])
})

t.test('statements are as many as combinations, however many values', async t => {
  const { asA } = await scene(t)
  const texts = new Set<string>()
  const { send } = Slot.prototype
  t.teardown(() => { Slot.prototype.send = send })
  Slot.prototype.send = function (text, values, way) {
    if (text.includes('"subtasks"')) texts.add(text)
    return send.call(this, text, values, way)
  }
  for (let n = 0; n < 20; n++) await asA(tenant => tenant.page(listing.list({ q: `${n}` }), { limit: 2 }, { q: `${n}`, other: n }))
  t.equal(texts.size, 1)
  t.notOk([...texts][0]!.includes('inner join "tasks" on ("tasks"."account_id" = $1 and ("tasks"."id" = "subtasks"."task_id")) where'), 'and join only what is asked about')
})

t.test('what pages cannot be made of is refused, before anything is sent', async t => {
  const columns = { id: tasks.id, name: tasks.name, project: projects.name }
  const base = { from: tasks, columns, filters: {}, sorts: { name: [tasks.name, tasks.id] } }
  const keys = { from: idempotencyKeys, columns: { id: idempotencyKeys.id, status: idempotencyKeys.status }, filters: {} }
  const joined = { ...base, joins: [innerJoin(projects, eq(projects.id, tasks.projectId))] }
  const attempts: Record<string, [object, unknown]> = {
    'a filter on a table that is not joined': [{ ...joined, filters: { x: (value: never) => eq(users.id, value) } }, { code: 'not_tenanted' }],
    'a filter that asks another table': [{ ...joined, filters: { x: () => sql`exists (select from ${users})` } }, { code: 'not_tenanted' }],
    'a global table': [{ ...joined, joins: [innerJoin(directory as never, sql`true`)] }, { code: 'not_tenanted' }],
    'a column of a table that is not joined': [base, { code: 'not_tenanted' }],
    'an order that does not end with the id': [{ ...joined, sorts: { name: [tasks.name] } }, TypeError],
    'an order by what is joined': [{ ...joined, sorts: { project: [projects.name, tasks.id] } }, TypeError],
    'an order by what is not selected': [{ ...joined, sorts: { x: [tasks.isComplete, tasks.id] } }, TypeError],
    'an order by what may be null': [{ ...keys, sorts: { x: [idempotencyKeys.status, idempotencyKeys.id] } }, TypeError],
    'an order by an expression': [{ ...joined, sorts: { x: [sql`${tasks.name} desc nulls last`, tasks.id] } }, TypeError],
    'no order': [{ ...joined, sorts: { x: [] } }, TypeError]
  }
  t.doesNotThrow(() => lists(joined))
  for (const [what, [attempt, refusal]] of Object.entries(attempts)) t.throws(() => lists(attempt as never), refusal as Error, what)
  for (const sort of ['nothing', '--name', 'constructor', '__proto__', '']) t.throws(() => listing.list({}, sort as never), TypeError, sort)

  const { asA } = await scene(t)
  await t.rejects(asA(tenant => tenant.page(listing.list({ q: 'x' }), { limit: 1 })), 'a value that was forgotten')
  await t.rejects(asA(tenant => tenant.page(listing.list({ q: 'x' }), { limit: 1 }, { q: undefined })), 'or lost on the way')
  const mine: AnyQuery = query({ ...listing.list(), where: and(eq(subtasks.id, placeholder('account'))) })
  await t.rejects(asA(tenant => tenant.page(mine, { limit: 1 }, { account: rows[0]!.id })), 'the tenant\'s name is taken')
})
