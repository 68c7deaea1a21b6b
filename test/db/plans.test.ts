// Lists of a large account are read from their index, under row-level security and with the settings of the app role.
import { eq } from 'drizzle-orm'
import t from 'tap'
import { planning } from '../../src/db/roles.ts'
import { projects, subtasks, tasks } from '../../src/db/schema.ts'
import { accountId } from '../../src/tenancy/account.ts'
import { lists } from '../../src/tenancy/lists.ts'
import { contains, theEnd } from '../../src/tenancy/query.ts'
import { Slot } from '../../src/tenancy/slot.ts'
import { A, contextOf, testDatabase, testTenancy } from '../support/database.ts'
import { until } from '../support/until.ts'

const listing = lists({
  from: subtasks,
  columns: { id: subtasks.id, name: subtasks.name, details: subtasks.details },
  filters: { q: value => contains(subtasks.name, value), complete: value => eq(subtasks.isComplete, value) },
  sorts: { name: [subtasks.name, subtasks.id] }
})

t.test('no row is visited that is not shown', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  const tenancy = testTenancy(t, database)
  for (const account of [A, 2, 3, 4, 5].map(accountId)) {
    await admin`insert into accounts (account_id, slug, name) values (${account}, ${`a${account}`}, 'x')`
    await tenancy.withTenant(account, async tenant => {
      const { id: projectId } = await tenant.insert(projects, { name: 'x' })
      const { id: taskId } = await tenant.insert(tasks, { projectId, name: 'x' })
      await tenant.insertMany(subtasks, Array.from({ length: 1_000 }, (_, n) => ({
        taskId, name: `subtask ${n}`, isComplete: n % 2 === 0, details: 'as long as people write them '.repeat(10)
      })))
    })
  }
  // VACUUM takes a row for visible to all once its commit is on disk, and the test server lets commits wait
  await admin.unsafe("begin; set local synchronous_commit = on; update accounts set name = 'y'; commit")
  // nor while anybody who is just connecting to the server, be it to another database, holds an older snapshot
  await until(async () => {
    await admin.unsafe('vacuum analyze subtasks')
    return (await admin`select relallvisible = relpages as seen from pg_class where oid = 'subtasks'::regclass`)[0]!.seen
  }, 10_000)

  for (const [name, value] of Object.entries({ q: '99', complete: true })) {
    const sent: { text: string, values: unknown[] }[] = []
    const { send } = Slot.prototype
    Slot.prototype.send = function (text, values, way) { sent.push({ text, values }); return send.call(this, text, values, way) }
    const list = listing.list({ [name]: value })
    const { next } = await tenancy.withTenant(A, tenant => tenant.page(list, { limit: 10, ahead: 100 }, { [name]: value }), 'read only')
    await tenancy.withTenant(A, tenant => tenant.page(list, { limit: 10, from: next()! }, { [name]: value }), 'read only')
    await tenancy.withTenant(A, tenant => tenant.page(list, { limit: 10, from: theEnd, ahead: 100 }, { [name]: value }), 'read only')
    Slot.prototype.send = send

    const [first, behind, last] = sent.filter(({ text }) => text.includes('"subtasks"'))
    for (const [what, { text, values }] of Object.entries({ first: first!, behind: behind!, last: last! })) {
      const plan = await admin.begin(async sql => {
        for (const [name, value] of Object.entries({ role: 'rowhouse_app', ...planning, search_path: 'public' })) await sql.unsafe(`set local ${name} = ${value}`)
        await sql`select tenancy.enter(${contextOf('revoked', A)})`
        await sql.unsafe(`prepare listing as ${text}`)
        const literals = values.map(value => `'${String(value).replaceAll('\'', '\'\'')}'`)
        const lines = await sql.unsafe(`explain (analyze, timing off, costs off) execute listing (${literals})`)
        await sql.unsafe('deallocate listing')
        return lines.map(line => line['QUERY PLAN']).join('\n')
      })
      t.match(plan, /Index Only Scan (Backward )?using subtasks_listing_idx/, `${name}, ${what}`)
      t.match(plan, /Heap Fetches: 0/)
      t.notMatch(plan, /Seq Scan|subtasks_task_id_idx/)
      t.match(plan, /One-Time Filter/, 'the policy is asked once')
    }
  }
})
