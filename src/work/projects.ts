// Projects: what an account's work is sorted into.
import { placeholder } from 'drizzle-orm'
import { projects } from '../db/schema.ts'
import type { Changes } from '../audit.ts'
import { AppError } from '../errors.ts'
import { lists } from '../tenancy/lists.ts'
import { type Page, type PageOf, type Row, contains, query } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'
import type { Listed } from './list.ts'

export type Project = Row<typeof projects>

export interface ProjectFields {
  readonly name: string
  readonly details?: string
}

const { id, name, details, version } = projects
const all = lists({
  from: projects,
  columns: { id, name, details, version },
  filters: { q: value => contains(name, value) },
  sorts: { name: [name, id], created: [id] }
})

export type ListedProject = Omit<Project, 'accountId'>

export interface ProjectFilter {
  /** A part of the name, in capitals or not. */
  readonly q: string
}

/** @throws {AppError} cursor_invalid */
export const listProjects = (
  tenant: Tenant, page: Page, { filter = {}, sort }: Listed<ProjectFilter> = {}
): Promise<PageOf<ListedProject[]>> => tenant.page(all.list(filter, sort), page, filter)

const byName = query({ from: projects, columns: { id, name }, orderBy: [name, id], limit: placeholder('limit') })

/** The first so many by name, to choose from. */
export const projectChoices = (tenant: Tenant, limit: number): Promise<Pick<Project, 'id' | 'name'>[]> => tenant.select(byName, { limit })

/** @throws {AppError} not_found */
export async function getProject (tenant: Tenant, id: string): Promise<Project> {
  const project = await tenant.get(projects, { id })
  if (!project) throw new AppError('not_found')
  return project
}

export const createProject = (changes: Changes, fields: ProjectFields): Promise<Project> => changes.insert(projects, fields)

/**
 * @param expected the version that whoever changes it has seen
 * @throws {AppError} not_found; precondition_failed if it has another version
 */
export const updateProject = (changes: Changes, id: string, fields: Partial<ProjectFields>, expected?: number): Promise<Project> =>
  changes.update(projects, id, fields, expected)

/** With its tasks and their subtasks. @throws as updateProject */
export const removeProject = (changes: Changes, id: string, expected?: number): Promise<void> => changes.remove(projects, id, expected)
