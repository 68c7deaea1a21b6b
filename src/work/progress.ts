// How far the work has come: counts, for bars and charts.
import { eq, inArray, placeholder } from 'drizzle-orm'
import { projects, subtasks, tasks } from '../db/schema.ts'
import { innerJoin } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'
import { tally } from '../tenancy/tally.ts'

export interface Done {
  readonly done: number
  readonly total: number
}

/** Of a project. */
export interface Progress {
  readonly tasks: Done
  readonly subtasks: Done
}

const nothing: Done = { done: 0, total: 0 }

/** The progress of each of these projects, by its id: for a hundred of them as for one, in one flush. */
export async function progressOf (tenant: Tenant, ids: readonly string[]): Promise<Map<string, Progress>> {
  if (ids.length === 0) return new Map()
  const { ofTasks, ofSubtasks, values } = among(ids)
  const [taskCounts, subtaskCounts] = await Promise.all([tenant.tally(ofTasks, values), tenant.tally(ofSubtasks, values)])
  const byProject = (counts: readonly (Done & { project: string })[]) => new Map(counts.map(({ project, done, total }) => [project, { done, total }]))
  const [tasksOf, subtasksOf] = [byProject(taskCounts), byProject(subtaskCounts)]
  const progressAt = (id: string) => ({ tasks: tasksOf.get(id) ?? nothing, subtasks: subtasksOf.get(id) ?? nothing })
  return new Map(ids.map(id => [id, progressAt(id.toLowerCase())])) // they may have come from an address, in capitals
}

/** The counts of the rows of up to so many projects: a statement for each size, so that few are ever prepared. */
const sizes = [1, 10, 100].map(size => {
  const where = inArray(tasks.projectId, Array.from({ length: size }, (_, i) => placeholder(`project ${i}`)))
  const by = { project: tasks.projectId }
  return {
    size,
    ofTasks: tally({ from: tasks, by, which: { done: tasks.isComplete }, where }),
    ofSubtasks: tally({ from: subtasks, joins: [innerJoin(tasks, eq(tasks.id, subtasks.taskId))], by, which: { done: subtasks.isComplete }, where })
  }
})

function among (ids: readonly string[]) {
  const fitting = sizes.find(({ size }) => ids.length <= size)
  if (!fitting) throw new RangeError('The progress of more than 100 projects at once.')
  return { ...fitting, values: Object.fromEntries(Array.from({ length: fitting.size }, (_, i) => [`project ${i}`, ids[i] ?? ids[0]])) }
}

export interface Overview {
  readonly projects: number
  readonly tasks: Done
  readonly subtasks: Done
  /** The projects with the most subtasks, most first, and how many of those are done. */
  readonly largest: readonly (Done & { readonly id: string, readonly name: string })[]
}

const allTasks = tally({ from: tasks, by: {}, which: { done: tasks.isComplete } })
const allSubtasks = tally({ from: subtasks, by: {}, which: { done: subtasks.isComplete } })
const largest = tally({
  from: subtasks,
  joins: [innerJoin(tasks, eq(tasks.id, subtasks.taskId)), innerJoin(projects, eq(projects.id, tasks.projectId))],
  by: { id: projects.id, name: projects.name },
  which: { done: subtasks.isComplete },
  limit: 10
})

/** The whole account's, in one flush. It counts every row: no more than one of it is to be on a page. */
export async function overviewOf (tenant: Tenant): Promise<Overview> {
  const [projectCount, [ofTasks], [ofSubtasks], most] = await Promise.all([
    tenant.count(projects), tenant.tally(allTasks), tenant.tally(allSubtasks), tenant.tally(largest)
  ])
  return { projects: projectCount, tasks: ofTasks ?? nothing, subtasks: ofSubtasks ?? nothing, largest: most }
}
