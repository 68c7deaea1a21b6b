// Tasks: the parts of a project.
import { eq } from 'drizzle-orm'
import type { Changes } from '../audit.ts'
import { projects, tasks } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { lists } from '../tenancy/lists.ts'
import { type Page, type PageOf, type Row, contains, innerJoin } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'
import type { Listed } from './list.ts'
import { getProject } from './projects.ts'

export type Task = Row<typeof tasks>

export interface TaskFields {
  readonly projectId: string
  readonly name: string
  readonly details?: string
}

const { id, projectId, name, isComplete, details, version } = tasks
const all = lists({
  from: tasks,
  joins: [innerJoin(projects, eq(projects.id, tasks.projectId))],
  columns: { id, projectId, project: projects.name, name, isComplete, details, version },
  filters: {
    projectId: value => eq(projectId, value),
    complete: value => eq(isComplete, value),
    q: value => contains(name, value)
  },
  sorts: { name: [name, id], created: [id] }
})

export interface ListedTask extends Omit<Task, 'accountId'> {
  /** The project's name. */
  readonly project: string
}

export interface TaskFilter {
  readonly projectId: string
  readonly complete: boolean
  /** A part of the name, in capitals or not. */
  readonly q: string
}

/** @throws {AppError} cursor_invalid; not_found if the account has no such project */
export async function listTasks (
  tenant: Tenant, page: Page, { filter = {}, sort }: Listed<TaskFilter> = {}
): Promise<PageOf<ListedTask[]>> {
  const listed = tenant.page(all.list(filter, sort), page, filter)
  if (filter.projectId) await Promise.all([listed, getProject(tenant, filter.projectId)])
  return listed
}

/** @throws {AppError} not_found */
export async function getTask (tenant: Tenant, id: string): Promise<Task> {
  const task = await tenant.get(tasks, { id })
  if (!task) throw new AppError('not_found')
  return task
}

/** @throws what is answered as reference_missing (errors.ts), if the account has no such project: the foreign key sees to it */
export const createTask = (changes: Changes, fields: TaskFields): Promise<Task> => changes.insert(tasks, fields)

/**
 * @param expected the version that whoever changes it has seen
 * @throws {AppError} not_found; precondition_failed if it has another version; what createTask throws
 */
export const updateTask = (changes: Changes, id: string, fields: Partial<TaskFields>, expected?: number): Promise<Task> =>
  changes.update(tasks, id, fields, expected)

/** Of the task itself: its subtasks are as they were. To complete it again changes nothing. @throws as updateTask */
export const setTaskComplete = (changes: Changes, id: string, isComplete: boolean, expected?: number): Promise<Task> =>
  changes.update(tasks, id, { isComplete }, expected, isComplete ? 'complete' : 'reopen')

/** With its subtasks. @throws as updateTask */
export const removeTask = (changes: Changes, id: string, expected?: number): Promise<void> => changes.remove(tasks, id, expected)
