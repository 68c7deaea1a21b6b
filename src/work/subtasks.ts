// Subtasks: the steps of a task, each done or not.
import { eq } from 'drizzle-orm'
import type { Changes } from '../audit.ts'
import { accounts, projects, subtasks, tasks } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { lists } from '../tenancy/lists.ts'
import { type Page, type PageOf, type Row, contains, innerJoin } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'
import type { Listed } from './list.ts'
import { getProject } from './projects.ts'
import { getTask } from './tasks.ts'

export type Subtask = Row<typeof subtasks>

export interface SubtaskFields {
  readonly taskId: string
  readonly name: string
  readonly details?: string
}

const all = lists({
  from: subtasks,
  joins: [
    innerJoin(tasks, eq(tasks.id, subtasks.taskId)),
    innerJoin(projects, eq(projects.id, tasks.projectId)),
    innerJoin(accounts, eq(accounts.accountId, projects.accountId))
  ],
  columns: {
    id: subtasks.id,
    account: accounts.name,
    projectId: tasks.projectId,
    project: projects.name,
    taskId: subtasks.taskId,
    task: tasks.name,
    name: subtasks.name,
    isComplete: subtasks.isComplete,
    details: subtasks.details
  },
  filters: {
    projectId: value => eq(tasks.projectId, value),
    taskId: value => eq(subtasks.taskId, value),
    complete: value => eq(subtasks.isComplete, value),
    q: value => contains(subtasks.name, value)
  },
  sorts: { name: [subtasks.name, subtasks.id], created: [subtasks.id] }
})

/** A subtask with the names of what it belongs to. */
export interface ListedSubtask {
  readonly id: string
  readonly account: string
  readonly projectId: string
  readonly project: string
  readonly taskId: string
  readonly task: string
  readonly name: string
  readonly isComplete: boolean
  readonly details: string
}

export interface SubtaskFilter {
  readonly projectId: string
  readonly taskId: string
  readonly complete: boolean
  /** A part of the name, in capitals or not. */
  readonly q: string
}

/** @throws {AppError} cursor_invalid; not_found if the account has no such project or task */
export function listSubtasks (tenant: Tenant, page: Page, { filter = {}, sort }: Listed<SubtaskFilter> = {}): Promise<PageOf<ListedSubtask[]>> {
  const listed = tenant.page(all.list(filter, sort), page, filter)
  const { projectId, taskId } = filter
  if (!(projectId ?? taskId)) return listed
  return Promise.all([listed, projectId && getProject(tenant, projectId), taskId && getTask(tenant, taskId)]).then(([page]) => page)
}

/** @throws {AppError} not_found */
export async function getSubtask (tenant: Tenant, id: string): Promise<Subtask> {
  const subtask = await tenant.get(subtasks, { id })
  if (!subtask) throw new AppError('not_found')
  return subtask
}

/** @throws what is answered as reference_missing (errors.ts), if the account has no such task: the foreign key sees to it */
export const createSubtask = (changes: Changes, fields: SubtaskFields): Promise<Subtask> => changes.insert(subtasks, fields)

/**
 * @param expected the version that whoever changes it has seen
 * @throws {AppError} not_found; precondition_failed if it has another version; what createSubtask throws
 */
export const updateSubtask = (changes: Changes, id: string, fields: Partial<SubtaskFields>, expected?: number): Promise<Subtask> =>
  changes.update(subtasks, id, fields, expected)

/** To complete it again changes nothing. @throws as updateSubtask */
export const setSubtaskComplete = (changes: Changes, id: string, isComplete: boolean, expected?: number): Promise<Subtask> =>
  changes.update(subtasks, id, { isComplete }, expected, isComplete ? 'complete' : 'reopen')

/** @throws as updateSubtask */
export const removeSubtask = (changes: Changes, id: string, expected?: number): Promise<void> => changes.remove(subtasks, id, expected)
