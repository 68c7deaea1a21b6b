// The first wall alone: the helpers under a role that row-level security does not bind. Every tenant table, every verb.
import { type SQL, asc, eq, getTableColumns, inArray, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import t, { type Test } from 'tap'
import { accounts, directory, projects, subtasks, tasks, users } from '../../src/db/schema.ts'
import { type TenantTable, isChangeable } from '../../src/db/tenant-table.ts'
import { TenantMissingError } from '../../src/errors.ts'
import { type Sample, sampleRows } from '../../src/prove/samples.ts'
import { accountId } from '../../src/tenancy/account.ts'
import { innerJoin, leftJoin, query } from '../../src/tenancy/query.ts'
import { Tenant } from '../../src/tenancy/scope.ts'
import { Slot } from '../../src/tenancy/slot.ts'
import { A, B, connect, testDatabase, testTenancy } from '../support/database.ts'
import { everythingOf, plant } from '../support/rows.ts'

async function scene (t: Test) {
  const database = await testDatabase(t)
  const [ofA, ofB] = await plant(database.admin, A, B) as [Sample[], Sample[]]
  const tenancy = testTenancy(t, database, { url: database.bypassUrl })
  const asA = <T>(work: (tenant: Tenant) => Promise<T>) => tenancy.withTenant(A, work)
  return { database, ofA, ofB, tenancy, asA }
}

t.test('the role of these tests is really not bound by row-level security', async t => {
  const { database } = await scene(t)
  const [row] = await connect(t, database.bypassUrl)`select count(*)::int as n from subtasks`
  t.equal(row!.n, 2)
})

t.test('every verb on every tenant table stays within the account', async t => {
  const { database, ofA, ofB, asA } = await scene(t)
  const before = await everythingOf(database.admin, B)
  for (const [i, { table, name, row }] of ofB.entries()) {
    const theirs = theKeyOf(table, row)
    const byCondition = eq(table.accountId, B)
    const anything: SQL = or(eq(table.accountId, A), eq(table.accountId, B))!
    const columns = { account: table.accountId }
    const all = await asA(tenant => tenant.select({ from: table, columns }))
    t.same(all, [{ account: A }], `${name}: select`)
    t.same(await asA(tenant => tenant.select({ from: table, columns, where: anything })), [{ account: A }], `${name}: select with a condition`)
    t.equal(await asA(tenant => tenant.get(table, byCondition)), undefined, `${name}: get by condition`)
    t.equal(await asA(tenant => tenant.count(table)), 1, `${name}: count`)
    t.equal(await asA(tenant => tenant.count(table, byCondition)), 0, `${name}: count with a condition`)
    t.equal(await asA(tenant => tenant.exists(table, byCondition)), false, `${name}: exists`)
    t.same(await asA(tenant => tenant.tally({ from: table, by: columns, which: {} })), [{ account: A, total: 1 }], `${name}: tally`)
    t.same(await asA(tenant => tenant.tally({ from: table, by: columns, which: {}, where: anything })), [{ account: A, total: 1 }], `${name}: a wide tally`)
    t.same(await asA(tenant => tenant.tally({ from: table, by: columns, which: {}, where: byCondition })), [], `${name}: tally with a condition`)
    if ('id' in row) {
      t.equal(await asA(tenant => tenant.get(table, theirs)), undefined, `${name}: get by id`)
      t.equal(await asA(tenant => tenant.exists(table, theirs)), false, `${name}: exists by id`)
      t.ok(await asA(tenant => tenant.get(table, theKeyOf(table, ofA[i]!.row))), `${name}: its own row is there`)
    }
    if (!isChangeable(table)) continue
    t.same(await asA(tenant => tenant.update(table, byCondition, some(row))), [], `${name}: update by condition`)
    t.equal(await asA(tenant => tenant.delete(table, byCondition)), 0, `${name}: delete by condition`)
    if ('id' in row) {
      t.same(await asA(tenant => tenant.lock(table, theirs)), [], `${name}: lock by id`)
      t.equal((await asA(tenant => tenant.lock(table, anything))).length, 1, `${name}: a wide lock holds its own row only`)
      t.same(await asA(tenant => tenant.update(table, theirs, some(row))), [], `${name}: update by id`)
      t.equal(await asA(tenant => tenant.delete(table, theirs)), 0, `${name}: delete by id`)
    }
    t.equal((await asA(tenant => tenant.update(table, anything, some(ofA[i]!.row)))).length, 1, `${name}: a wide update changes its own row only`)
  }
  t.equal(await everythingOf(database.admin, B), before, 'the other account is as it was')
})

t.test('what is only added to refuses all else, one\'s own rows too: the helpers by themselves, and the grants', async t => {
  const { database, ofA, asA } = await scene(t)
  const app = connect(t, database.appUrl)
  const [before, added] = [await everythingOf(database.admin, A), ofA.filter(({ table }) => !isChangeable(table))]
  t.same(added.map(({ name }) => name), ['audit_log'])
  for (const { table, name, row } of added) {
    const refused = { code: 'append_only', statusCode: 500 }
    await t.rejects(asA(tenant => tenant.update(table as never, { id: row.id } as never, some(row))), refused, `${name}: update`)
    await t.rejects(asA(tenant => tenant.delete(table as never, { id: row.id } as never)), refused, `${name}: delete`)
    await t.rejects(asA(tenant => tenant.lock(table as never, { id: row.id } as never)), refused, `${name}: lock`)
    for (const statement of [`update ${name} set id = id`, `delete from ${name}`, `select from ${name} for update`, `insert into ${name} select * from ${name} on conflict (account_id, id) do update set id = excluded.id`]) {
      await t.rejects(app.unsafe(statement), { code: '42501' }, statement)
    }
  }
  t.equal(await everythingOf(database.admin, A), before)
  await asA(tenant => tenant.delete(accounts, {}))
  t.equal(await everythingOf(database.admin, A), '', 'but all of an account can be deleted')
})

t.test('inserts are the account\'s, whatever they say', async t => {
  const { database, ofB, asA } = await scene(t)
  const before = await everythingOf(database.admin, B)
  await database.admin`delete from accounts where account_id = ${A}`
  for (const { table, name, row } of sampleRows(A)) {
    const { accountId: _, ...values } = row
    const stored = await asA(tenant => tenant.insert(table, values as never)) as { accountId: number }
    t.equal(stored.accountId, A, `${name}: insert`)
    if ('id' in row) {
      await database.admin`delete from ${database.admin(name)} where account_id = ${A}`
      t.equal(await asA(tenant => tenant.insertMany(table, [values as never])), 1, `${name}: insertMany`)
      t.equal(await asA(tenant => tenant.count(table)), 1)
    }
    const foreign = { ...ofB.find(sample => sample.table === table)!.row }
    await t.rejects(asA(tenant => tenant.insert(table, foreign as never)), { code: 'tenant_mismatch' }, `${name}: another's row is refused`)
    await t.rejects(asA(tenant => tenant.insertMany(table, [foreign as never])), { code: 'tenant_mismatch' })
    if (isChangeable(table)) await t.rejects(asA(tenant => tenant.update(table, {}, { accountId: B } as never)), { code: 'tenant_mismatch' })
    await t.rejects(asA(tenant => tenant.get(table, { accountId: B } as never)), { code: 'tenant_mismatch' })
  }
  t.equal(await everythingOf(database.admin, B), before)
})

t.test('deleting everything deletes the account\'s own', async t => {
  const { database, ofB, asA } = await scene(t)
  const before = await everythingOf(database.admin, B)
  for (const { table } of ofB.toReversed()) if (isChangeable(table)) await asA(tenant => tenant.delete(table, {}))
  t.equal(await everythingOf(database.admin, B), before)
})

t.test('each side of a join is filtered', async t => {
  const { database, ofA, ofB, asA } = await scene(t)
  // Made possible only here, behind both walls: a subtask of A that names a task of B.
  await database.admin.unsafe('alter table subtasks drop constraint subtasks_task_id_fk')
  await database.admin`update subtasks set task_id = ${idOf(ofB, tasks)} where account_id = ${A}`
  const columns = { task: tasks.name, subtask: subtasks.id }
  const on = eq(tasks.id, subtasks.taskId)
  t.same(await asA(tenant => tenant.select({ from: subtasks, joins: [innerJoin(tasks, on)], columns })), [], 'inner')
  t.same(await asA(tenant => tenant.select({ from: subtasks, joins: [leftJoin(tasks, on)], columns })), [{ task: null, subtask: idOf(ofA, subtasks) }], 'left')
  t.same(await asA(tenant => tenant.select({ from: subtasks, joins: [innerJoin(tasks, sql`true`)], columns, orderBy: [asc(tasks.name)] })),
    [{ task: ofA.find(({ table }) => table === tasks)!.row.name, subtask: idOf(ofA, subtasks) }], 'every row with every row')
})

t.test('a page stays within the account, wherever it begins, and so does what it counts', async t => {
  const { ofA, tenancy, asA } = await scene(t)
  for (const account of [B, A, B]) {
    await tenancy.withTenant(account, tenant => tenant.insertMany(projects, ['a', 'b', 'c'].map(name => ({ name }))))
  }
  const columns = { id: projects.id, name: projects.name, account: projects.accountId }
  const list = query({ from: projects, columns, orderBy: [projects.name, projects.id] })
  const wanted = ['a', 'b', 'c', ofA.find(({ table }) => table === projects)!.row.name]
  const first = await asA(tenant => tenant.page(list, { limit: 2, ahead: 100 }))
  const second = await asA(tenant => tenant.page(list, { limit: 2, from: 2, ahead: 100 }))
  const behind = await asA(tenant => tenant.page(list, { limit: 2, from: first.next()! }))
  t.same([...first.rows, ...second.rows].map(({ name }) => name), wanted)
  t.same(behind.rows, second.rows)
  t.ok([...first.rows, ...second.rows].every(({ account }) => account === A))
  t.same([first.ahead, second.ahead, behind.ahead, second.next(), behind.next()], [4, 2, 2, null, null])
  await t.rejects(tenancy.withTenant(B, tenant => tenant.page(list, { limit: 2, from: first.next()! })), { code: 'cursor_invalid', statusCode: 400 })
  const other = query({ ...list, where: eq(projects.details, '') })
  await t.rejects(asA(tenant => tenant.page(other, { limit: 2, from: first.next()! })), { code: 'cursor_invalid' }, 'of a list with another filter')
  for (const orderBy of [[], [projects.name], [projects.id, projects.name], [asc(projects.name)], [sql`${projects.name} desc nulls last`, projects.id]]) {
    await t.rejects(asA(tenant => tenant.page({ ...list, orderBy } as typeof list, { limit: 2 })), { name: 'TypeError' })
  }
})

t.test('an account is one parameter, however many tables a statement names', async t => {
  const { tenancy, asA } = await scene(t)
  const texts: string[] = []
  const { send } = Slot.prototype
  t.teardown(() => { Slot.prototype.send = send })
  Slot.prototype.send = function (text, values, way) { texts.push(`${text} -- ${values.length}`); return send.call(this, text, values, way) }
  const columns = { task: tasks.name, subtask: subtasks.id }
  const where = sql`${tasks.name} = ${'a'} or ${tasks.name} = ${'b'} or ${tasks.name} = ${'$1'}`
  const rows = await asA(tenant => tenant.select({ from: subtasks, joins: [innerJoin(tasks, eq(tasks.id, subtasks.taskId))], columns, where }))
  t.same(rows, [])
  const statement = texts.find(text => text.includes('inner join'))!
  t.equal(statement.match(/\$1\b/g)?.length, 2, statement)
  t.match(statement, / -- 4$/, 'what is equal by chance stays apart')
  await tenancy.close()
})

t.test('nothing but tenant tables can be named, and no table can be smuggled in', async t => {
  const { asA } = await scene(t)
  const refused = { code: 'not_tenanted' }
  const everywhere = sql`(select count(*) from subtasks)`
  const { id } = getTableColumns(projects)
  for (const [what, attempt] of Object.entries<(tenant: Tenant) => Promise<unknown>>({
    'a global table': tenant => tenant.count(directory as never),
    'a global table in a join': tenant => tenant.select({ from: tasks, joins: [innerJoin(directory as never, sql`true`)], columns: { id: tasks.id } }),
    'a global table in an insert': tenant => tenant.insert(directory as never, {}),
    'a subquery as a column': tenant => tenant.select({ from: tasks, columns: { n: everywhere as never } }),
    'a subquery in a condition': tenant => tenant.count(tasks, sql`${everywhere} > 0`),
    'a subquery in an order': tenant => tenant.select({ from: tasks, columns: { id: tasks.id }, orderBy: [everywhere] }),
    'a subquery in a join': tenant => tenant.select({ from: tasks, joins: [innerJoin(projects, sql`exists ${everywhere}`)], columns: { id: tasks.id } }),
    'a table in a condition': tenant => tenant.count(tasks, sql`exists (table ${users})`),
    'a column of a table that is not in the query': tenant => tenant.count(tasks, eq(id, tasks.projectId)),
    'such a column in a list': tenant => tenant.count(tasks, inArray(tasks.projectId, [id as never])),
    'an alias of a table': tenant => tenant.count(alias(tasks, 'subtasks') as never),
    'a join that ends before its end': tenant => tenant.select({ from: tasks, joins: [innerJoin(projects, sql`true) inner join users u on (true`)], columns: { id: tasks.id } }),
    'a function that reads a table': tenant => tenant.count(tasks, sql`table_to_xml('users', true, true, '') is not null`),
    'a word in two parts': tenant => tenant.count(tasks, sql`exists (${sql.raw('sel')}${sql.raw('ect 1')})`),
    'a comment': tenant => tenant.count(tasks, sql`true -- `),
    'a comment in two parts': tenant => tenant.count(tasks, sql`true ${sql.raw('-')}${sql.raw('-')}`),
    'parentheses in two parts': tenant => tenant.count(tasks, sql`true ${sql.raw(')')} or ${sql.raw('(')} true`),
    'SQL as a value': tenant => tenant.count(tasks, eq(tasks.name, sql.param(sql`(select 'x')` as never))),
    'a subquery in a page': tenant => tenant.page({ from: tasks, columns: { id: tasks.id }, where: sql`exists ${everywhere}`, orderBy: [tasks.id] }, { limit: 1 }),
    'a table that is not joined in the condition of a page': tenant => tenant.page({
      from: tasks, joins: [innerJoin(projects, eq(projects.id, tasks.projectId))], columns: { id: tasks.id }, where: eq(users.email, 'x'), orderBy: [tasks.id]
    }, { limit: 1 }),
    'another table\'s column in the order of a page': tenant => tenant.page({ from: tasks, columns: { id: tasks.id }, orderBy: [projects.id, tasks.id] }, { limit: 1 }),
    'a global table in a page': tenant => tenant.page({ from: directory as never, columns: {}, orderBy: [tasks.id] }, { limit: 1 }),
    'nested columns': tenant => tenant.select({ from: tasks, columns: { nested: { n: everywhere } } as never })
  })) await t.rejects(asA(attempt), refused, what)
})

t.test('a condition of many parts stays one condition', async t => {
  const { database, asA } = await scene(t)
  const before = await everythingOf(database.admin, B)
  const wide = sql`${tasks.isComplete} or true`
  t.equal(await asA(tenant => tenant.count(tasks, wide)), 1)
  t.equal((await asA(tenant => tenant.select({ from: tasks, columns: { id: tasks.id }, where: wide }))).length, 1)
  t.equal((await asA(tenant => tenant.select({ from: subtasks, joins: [innerJoin(tasks, sql`${tasks.isComplete} or true`)], columns: { id: tasks.id } }))).length, 1)
  t.equal((await asA(tenant => tenant.update(tasks, wide, { name: 'x' }))).length, 1)
  t.equal(await asA(tenant => tenant.delete(tasks, wide)), 1)
  t.equal(await everythingOf(database.admin, B), before)
})

t.test('what is not there: undefined, unknown columns, rows of two shapes', async t => {
  const { asA } = await scene(t)
  const row = await asA(tenant => tenant.insert(projects, { id: undefined as never, name: 'x', details: undefined as never }))
  t.match(row, { name: 'x', details: '' }, 'left out of an insert')
  t.same((await asA(tenant => tenant.update(projects, { id: row.id }, { name: 'y', details: undefined as never })))[0], { ...row, name: 'y' }, 'and of an update')
  await t.rejects(asA(tenant => tenant.get(projects, { id: undefined as never })), TypeError, 'but it matches nothing by accident')
  for (const name of ['nothing', 'details,name', 'constructor', '__proto__']) {
    const odd = Object.defineProperty({}, name, { value: 'x', enumerable: true }) as never
    await t.rejects(asA(tenant => tenant.get(projects, odd)), TypeError, name)
    await t.rejects(asA(tenant => tenant.update(projects, { id: row.id }, odd)), TypeError, name)
  }
  await t.rejects(asA(tenant => tenant.insertMany(projects, [{ name: 'one' }, { name: 'two', details: 'kept' }])), TypeError)
  await t.rejects(asA(tenant => tenant.update(projects, { id: row.id }, { name: sql`(select 1)` as never })), TypeError)
  t.equal(await asA(tenant => tenant.count(projects)), 2, 'and no connection was lost over it')
})

t.test('the account of a tenant cannot be changed', async t => {
  const { asA } = await scene(t)
  await asA(async tenant => {
    t.throws(() => { (tenant as { account: unknown }).account = B }, TypeError)
    t.equal(await tenant.count(tasks), 1)
  })
})

t.test('a value is never taken for the tenant', async t => {
  const { asA, ofB } = await scene(t)
  const where = eq(tasks.id, sql.placeholder('account'))
  t.same(await asA(tenant => tenant.select({ from: tasks, columns: { account: tasks.accountId } }, { account: B })), [{ account: A }], 'values cannot fill the filter')
  await t.rejects(asA(tenant => tenant.select({ from: tasks, columns: { id: tasks.id }, where }, { account: idOf(ofB, tasks) })), 'and the name is taken')
})

t.test('without a tenant nothing is sent', async t => {
  const { database, tenancy } = await scene(t)
  const statements = async () => (await database.admin`select count(*)::int as n from pg_stat_activity where application_name = 'rowhouse' and datname = ${database.name}`)[0]!.n
  const before = await statements()
  for (const nobody of [undefined, null, 0, -1, 1.5, NaN, Infinity, '1', 2 ** 53, {}]) {
    t.throws(() => accountId(nobody), TenantMissingError)
    await t.rejects(tenancy.withTenant(nobody as never, tenant => tenant.count(tasks)), TenantMissingError, String(nobody))
  }
  t.throws(() => new Tenant({ account: undefined } as never, undefined as never), TenantMissingError)
  t.equal(await statements(), before, 'not even a connection was opened')
})

t.test('the account reads itself', async t => {
  const { asA, ofA } = await scene(t)
  t.match(await asA(tenant => tenant.get(accounts, {})), { accountId: A, name: ofA[0]!.row.name })
})

const theKeyOf = (_table: TenantTable, row: Sample['row']) => ('id' in row ? { id: row.id } : {}) as never
const idOf = (samples: Sample[], table: TenantTable) => String(samples.find(sample => sample.table === table)!.row.id)
/** What may be changed, with the values it has. */
const some = (row: Sample['row']) => Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'accountId' && name !== 'id')) as never
