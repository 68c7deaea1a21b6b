// What is done to projects, tasks and subtasks, and what is written down of it.
import t, { type Test } from 'tap'
import { changesBy } from '../../src/audit.ts'
import { asAppError } from '../../src/errors.ts'
import type { Tenant } from '../../src/tenancy/scope.ts'
import { createProject, getProject, removeProject, updateProject } from '../../src/work/projects.ts'
import { createSubtask, getSubtask, setSubtaskComplete, updateSubtask } from '../../src/work/subtasks.ts'
import { createTask, getTask, setTaskComplete, updateTask } from '../../src/work/tasks.ts'
import { A, B, testDatabase, testTenancy } from '../support/database.ts'
import { plant } from '../support/rows.ts'

async function scene (t: Test) {
  const database = await testDatabase(t)
  const tenancy = testTenancy(t, database)
  const [, ofB] = await plant(database.admin, A, B)
  const changesIn = (tenant: Tenant) => changesBy({ id: null, email: 'ann@example.com' }, tenant)
  const asA = <T>(work: (changes: ReturnType<typeof changesBy>, tenant: Tenant) => Promise<T>) =>
    tenancy.withTenant(A, tenant => work(changesIn(tenant), tenant))
  const logged = async () => (await database.admin`
    select action, entity, entity_id, before, after from audit_log where account_id = ${A} and actor = 'ann@example.com' order by at, id`).map(row => ({ ...row }))
  const theirs = (name: string) => ofB!.find(each => each.name === name)!.row.id as string
  return { asA, logged, theirs }
}

t.test('each change is written down, before and after', async t => {
  const { asA, logged } = await scene(t)
  const project = await asA(changes => createProject(changes, { name: 'House' }))
  t.match(project, { name: 'House', details: '', version: 1 })
  const task = await asA(changes => createTask(changes, { projectId: project.id, name: 'Roof' }))
  const subtask = await asA(changes => createSubtask(changes, { taskId: task.id, name: 'Tiles', details: 'red' }))
  const renamed = await asA(changes => updateProject(changes, project.id, { name: 'Shed' }, 1))
  t.match(renamed, { name: 'Shed', version: 2 })
  const completed = await asA(changes => setSubtaskComplete(changes, subtask.id, true))
  const reopened = await asA(changes => setSubtaskComplete(changes, subtask.id, false))
  t.same([completed.isComplete, reopened.isComplete], [true, false])
  await asA(changes => setTaskComplete(changes, task.id, true))
  await asA(changes => removeProject(changes, project.id, 2))
  t.match(await logged(), [
    { action: 'create', entity: 'projects', entity_id: project.id, before: null, after: { name: 'House', version: 1 } },
    { action: 'create', entity: 'tasks', entity_id: task.id, after: { name: 'Roof', projectId: project.id } },
    { action: 'create', entity: 'subtasks', entity_id: subtask.id, after: { name: 'Tiles', details: 'red', isComplete: false } },
    { action: 'update', entity: 'projects', before: { name: 'House', version: 1 }, after: { name: 'Shed', version: 2 } },
    { action: 'complete', entity: 'subtasks', before: { isComplete: false }, after: { isComplete: true } },
    { action: 'reopen', entity: 'subtasks', before: { isComplete: true }, after: { isComplete: false } },
    { action: 'complete', entity: 'tasks', entity_id: task.id },
    { action: 'delete', entity: 'projects', before: { name: 'Shed' }, after: null }
  ])
  await t.rejects(asA((_, tenant) => getSubtask(tenant, subtask.id)), { code: 'not_found' }, 'what belonged to it is gone, too')
})

t.test('what changes nothing is no change', async t => {
  const { asA, logged } = await scene(t)
  const { id } = await asA(changes => createProject(changes, { name: 'House' }))
  t.match(await asA(changes => updateProject(changes, id, { name: 'House', details: '' })), { version: 1 })
  await t.rejects(asA(changes => updateProject(changes, id, { name: 'House' }, 2)), { code: 'precondition_failed' }, 'but who has seen another version is told')
  t.equal((await logged()).length, 1)
})

t.test('of two changes to what was read once, one is made', async t => {
  const { asA } = await scene(t)
  const { id } = await asA(changes => createProject(changes, { name: 'House' }))
  const both = await Promise.allSettled(['Shed', 'Barn'].map(name => asA(changes => updateProject(changes, id, { name }, 1))))
  t.same(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  t.match(both.find(each => each.status === 'rejected'), { reason: { code: 'precondition_failed' } })
  const unseen = await Promise.all(['Hut', 'Tent'].map(name => asA(changes => updateProject(changes, id, { name }))))
  t.same(unseen.map(({ version }) => version).toSorted(), [3, 4], 'who has seen none is not asked, and no version is given twice')
})

t.test('nothing is done to another account\'s, nor under it', async t => {
  const { asA, theirs, logged } = await scene(t)
  const [project, task, subtask] = ['projects', 'tasks', 'subtasks'].map(theirs) as [string, string, string]
  const missing = { code: 'not_found', statusCode: 404 }
  await t.rejects(asA((_, tenant) => getProject(tenant, project)), missing)
  await t.rejects(asA((_, tenant) => getTask(tenant, task)), missing)
  await t.rejects(asA((_, tenant) => getSubtask(tenant, subtask)), missing)
  await t.rejects(asA(changes => updateProject(changes, project, { name: 'mine' })), missing)
  await t.rejects(asA(changes => removeProject(changes, project)), missing)
  await t.rejects(asA(changes => setSubtaskComplete(changes, subtask, true)), missing)
  const unknown = { name: 'PostgresError', code: '23503' }
  t.match(asAppError(Object.assign(new Error(), unknown)), { code: 'reference_missing', statusCode: 409 }, 'which is how it is answered')
  await t.rejects(asA(changes => createTask(changes, { projectId: project, name: 'mine' })), unknown)
  await t.rejects(asA(changes => createSubtask(changes, { taskId: task, name: 'mine' })), unknown)
  const own = await asA(async changes => {
    const { id: projectId } = await createProject(changes, { name: 'House' })
    const { id: taskId } = await createTask(changes, { projectId, name: 'Roof' })
    return { taskId, subtaskId: (await createSubtask(changes, { taskId, name: 'Tiles' })).id }
  })
  await t.rejects(asA(changes => updateTask(changes, own.taskId, { projectId: project })), unknown, 'moved there')
  await t.rejects(asA(changes => updateSubtask(changes, own.subtaskId, { taskId: task })), unknown)
  t.equal((await logged()).length, 3, 'and what was refused left no trace')
})
