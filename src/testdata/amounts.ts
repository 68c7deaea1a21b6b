// How much an account holds. By itself, so that --help need not load what makes it.

/** Both ends included. */
export interface Range { readonly min: number, readonly max: number }

export interface Amounts {
  readonly users: Range
  readonly projects: Range
  /** Drawn once per account and multiplied by its projects, among which the tasks are then spread at random. */
  readonly tasks: Range
  /** Likewise, by tasks. */
  readonly subtasks: Range
}

export const defaultAmounts: Amounts = {
  users: { min: 1, max: 5 },
  projects: { min: 1, max: 30 },
  tasks: { min: 1, max: 10 },
  subtasks: { min: 1, max: 10 }
}
