// What the lists of projects, tasks and subtasks have in common.

/** By name, or by when it was made, which is the order of its id; with a minus, backwards. */
export const sorts = ['name', '-name', 'created', '-created'] as const
export type Sort = typeof sorts[number]

/** Which list: of what passes a filter, in which order. What is undefined in the filter lets everything through. */
export interface Listed<Filter> {
  readonly filter?: { readonly [name in keyof Filter]?: Filter[name] | undefined }
  readonly sort?: Sort | undefined
}
