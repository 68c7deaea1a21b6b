// The first wall needs no help of the second: nothing that the helpers send is answered otherwise where row-level security does not bind.
import { tasks, projects, subtasks } from '../../src/db/schema.ts'
import { eq, sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { innerJoin } from '../../src/tenancy/query.ts'
import { fuzz } from '../fuzz/run.ts'
import { withoutFilters } from '../fuzz/unfiltered.ts'
import { throughHelpers } from '../fuzz/walls.ts'
import { A, B, testDatabase, testTenancy } from '../support/database.ts'
import { plant } from '../support/rows.ts'
import { watchSecondWall } from '../support/second-wall.ts'

async function scene (t: Test) {
  const database = await testDatabase(t)
  const watch = watchSecondWall(t, database)
  return { database, watch, tenancy: testTenancy(t, database, { url: watch.url }) }
}

t.test('random transactions', async t => {
  const { database, watch, tenancy } = await scene(t)
  const { leaks, differences, problems } = await fuzz(database, throughHelpers(tenancy), { transactions: 200, tenants: 5, seed: Date.now() % 1e9 })
  t.same({ leaks, differences, problems }, { leaks: 0, differences: 0, problems: [] }, 'being watched changes nothing')
  t.same(watch.held, [])
})

t.test('a statement without its filter is reported with its call site, read or write', async t => {
  const { database, watch, tenancy } = await scene(t)
  await plant(database.admin, A, B)
  withoutFilters(t)
  const on = eq(tasks.projectId, projects.id)
  const calls = {
    select: () => tenancy.withTenant(A, tenant => tenant.select({ from: projects, joins: [innerJoin(tasks, on)], columns: { name: tasks.name } })),
    count: () => tenancy.withTenant(A, tenant => tenant.count(tasks)),
    update: () => tenancy.withTenant(A, tenant => tenant.update(projects, {}, { details: 'x' })),
    delete: () => tenancy.withTenant(A, tenant => tenant.delete(subtasks, sql`true`))
  }
  for (const [verb, call] of Object.entries(calls)) {
    await call()
    const [report] = watch.held.splice(0)
    t.match(report, /Only row-level security stopped: (select|update|delete)/, verb)
    t.match(report, /isolation\/second-wall\.test\.ts:\d+/, 'with the call site')
  }
  const [{ n } = { n: 0 }] = await database.admin`select count(*)::int as n from subtasks where account_id = ${B}`
  t.equal(n, 1, 'and what was tried without row-level security is undone')
})

t.test('it fails the test by itself', async t => {
  const duties: (() => unknown)[] = []
  const database = await testDatabase(t)
  await plant(database.admin, A, B)
  const failures: string[] = []
  const watch = watchSecondWall({ teardown: duty => duties.push(duty), fail: message => failures.push(message) }, database)
  const tenancy = testTenancy(t, database, { url: watch.url })
  withoutFilters(t)
  await tenancy.withTenant(A, tenant => tenant.count(tasks))
  duties[0]!()
  t.match(failures, [/Only row-level security stopped/])
})
