// What the lists of projects, tasks and subtasks have in common.
import type { Page } from '../tenancy/query.ts'

/** By name, or by when it was made, which is the order of its id; with a minus, backwards. */
export const sorts = ['name', '-name', 'created', '-created'] as const
export type Sort = typeof sorts[number]

/** Which page of a list, of what passes a filter. What is undefined in it lets everything through. */
export interface ListPage<Filter> extends Omit<Page, 'values'> {
  readonly filter?: { readonly [name in keyof Filter]?: Filter[name] | undefined }
  readonly sort?: Sort | undefined
}
