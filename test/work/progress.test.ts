// Counts of one account's work, under a role that row-level security does not bind: the helpers' filter alone keeps the other's out.
import t from 'tap'
import { accountId } from '../../src/tenancy/account.ts'
import { writeAccount, generateAccount } from '../../src/testdata/generate.ts'
import { overviewOf, progressOf } from '../../src/work/progress.ts'
import { A, B, testDatabase, testTenancy } from '../support/database.ts'

const between = (min: number, max: number) => ({ min, max })

t.test('the progress of projects, and the overview of the account, count what is there', async t => {
  const database = await testDatabase(t)
  const tenancy = testTenancy(t, database, { url: database.bypassUrl })
  const amounts = { users: between(1, 1), projects: between(12, 12), tasks: between(0, 4), subtasks: between(0, 5) }
  const [ours, theirs] = [A, B].map((_, n) => generateAccount(11, n, amounts, 'not a hash'))
  for (const [id, data] of [[A, ours!], [B, theirs!]] as const) await tenancy.withTenant(id, tenant => writeAccount(tenant, data))

  const done = (rows: readonly { isComplete?: boolean | undefined }[]) => ({ done: rows.filter(row => row.isComplete).length, total: rows.length })
  const subtasksIn = (projectId?: string) => {
    const among = new Set(ours!.tasks.filter(task => task.projectId === projectId).map(task => task.id))
    return ours!.subtasks.filter(subtask => among.has(subtask.taskId))
  }
  const wanted = new Map(ours!.projects.map(({ id }) =>
    [id!, { tasks: done(ours!.tasks.filter(task => task.projectId === id)), subtasks: done(subtasksIn(id)) }]))
  const ids = [...wanted.keys()]

  for (const some of [ids.slice(0, 1), ids.slice(0, 3), ids, []]) {
    const found = await tenancy.withTenant(A, tenant => progressOf(tenant, some))
    t.same([...found], some.map(id => [id, wanted.get(id)]), `of ${some.length}`)
  }
  const foreign = await tenancy.withTenant(A, tenant => progressOf(tenant, theirs!.projects.map(({ id }) => id!)))
  for (const progress of foreign.values()) t.same(progress, { tasks: { done: 0, total: 0 }, subtasks: { done: 0, total: 0 } }, 'another account\'s projects have none')
  await t.rejects(tenancy.withTenant(A, tenant => progressOf(tenant, Array(101).fill(ids[0]))), RangeError)

  const overview = await tenancy.withTenant(A, overviewOf)
  t.match(overview, { projects: 12, tasks: done(ours!.tasks), subtasks: done(ours!.subtasks) })
  const bySize = ours!.projects.map(({ id, name }) => ({ id, name, ...wanted.get(id!)!.subtasks })).filter(({ total }) => total > 0)
  t.same(overview.largest.map(({ total }) => total), bySize.map(({ total }) => total).toSorted((a, b) => b - a).slice(0, 10), 'the largest ten, largest first')
  for (const each of overview.largest) t.same(each, bySize.find(({ id }) => id === each.id))
})

t.test('an account without any work', async t => {
  const database = await testDatabase(t)
  const tenancy = testTenancy(t, database)
  const none = { done: 0, total: 0 }
  t.same(await tenancy.withTenant(accountId(7), overviewOf), { projects: 0, tasks: none, subtasks: none, largest: [] })
})
