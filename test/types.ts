// What must not compile. `npm run build` fails if one of these lines does: an error that is expected and does not come is an error.
import { eq } from 'drizzle-orm'
import { auditLog, directory, subtasks, tasks } from '../src/db/schema.ts'
import { lists } from '../src/tenancy/lists.ts'
import { contains, innerJoin, leftJoin, query } from '../src/tenancy/query.ts'
import type { Tenant } from '../src/tenancy/scope.ts'
import type { Tenancy } from '../src/tenancy/tenancy.ts'

export async function refused (tenancy: Tenancy, tenant: Tenant) {
  // a tenant that is missing, or not known to be one
  // @ts-expect-error no account at all
  await tenancy.withTenant((tenant: Tenant) => tenant.count(tasks))
  // @ts-expect-error undefined is no account
  await tenancy.withTenant(undefined, tenant => tenant.count(tasks))
  // @ts-expect-error nor is any number: accountId() says which is
  await tenancy.withTenant(1, tenant => tenant.count(tasks))

  // a global table
  // @ts-expect-error to read
  await tenant.count(directory)
  // @ts-expect-error to select from
  await tenant.select({ from: directory, columns: { host: directory.host } })
  // @ts-expect-error to join
  innerJoin(directory, eq(directory.accountId, tasks.accountId))
  // @ts-expect-error to insert into
  await tenant.insert(directory, { host: 'a', accountId: 1 })

  // another's account
  // @ts-expect-error in an insert
  await tenant.insert(tasks, { accountId: 2, projectId: 'x', name: 'x' })
  // @ts-expect-error in many
  await tenant.insertMany(tasks, [{ accountId: 2, projectId: 'x', name: 'x' }])
  // @ts-expect-error in an update
  await tenant.update(tasks, { id: 'x' }, { accountId: 2 })
  // @ts-expect-error in a match
  await tenant.get(tasks, { accountId: 2 })

  // what is only added to
  // @ts-expect-error to be changed
  await tenant.update(auditLog, { id: 'x' }, { actor: 'x' })
  // @ts-expect-error to be deleted
  await tenant.delete(auditLog, { id: 'x' })

  // what is not of this query
  // @ts-expect-error a column of a table that is not joined
  query({ from: subtasks, columns: { task: tasks.name } })
  // @ts-expect-error a column that is not there
  await tenant.get(tasks, { nothing: 1 })
  // @ts-expect-error a row that is not whole
  await tenant.insert(tasks, { name: 'x' })

  // what is not of these lists
  const tasksOf = lists({
    from: tasks, columns: { id: tasks.id }, filters: { project: value => eq(tasks.projectId, value) }, sorts: { id: [tasks.id] }
  })
  // @ts-expect-error a filter that is not there
  tasksOf.list({ task: 'x' })
  // @ts-expect-error an order that is not there
  tasksOf.list({ project: 'x' }, 'name')
  // @ts-expect-error a global table
  lists({ from: directory, columns: {}, filters: {}, sorts: {} })
  // @ts-expect-error a column of a table that is not joined
  lists({ from: tasks, columns: { id: subtasks.id }, filters: {}, sorts: { id: [tasks.id] } })

  // a builder to chain on
  // @ts-expect-error there are rows, not a query
  tenant.select({ from: tasks, columns: { id: tasks.id } }).where(undefined)
}

export async function accepted (tenant: Tenant) {
  const task = await tenant.get(tasks, { id: 'x' })
  const name: string | undefined = task?.name
  const [inner] = await tenant.select({ from: subtasks, joins: [innerJoin(tasks, eq(tasks.id, subtasks.taskId))], columns: { task: tasks.name } })
  const joined: string | undefined = inner?.task
  const tasksOf = lists({
    from: tasks, columns: { id: tasks.id, done: tasks.isComplete }, filters: { q: value => contains(tasks.name, value) }, sorts: { id: [tasks.id] }
  })
  const { rows: [listed] } = await tenant.page(tasksOf.list({ q: 'x' }, '-id'), { limit: 1 }, { q: 'x' })
  const done: boolean | undefined = listed?.done
  const [left] = await tenant.select({ from: subtasks, joins: [leftJoin(tasks, eq(tasks.id, subtasks.taskId))], columns: { task: tasks.name } })
  // @ts-expect-error the left side of a left join may have no right side
  const certain: string | undefined = left?.task
  return [name, joined, certain, done]
}
