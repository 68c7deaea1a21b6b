// What a random transaction is made of: choices, not yet rows. plan.ts turns them into statements on what is there by then; so a shrunk
// counterexample still means something.
import fc from 'fast-check'

const verbs = ['insert', 'insertMany', 'update', 'delete', 'get', 'select', 'count', 'exists', 'tally'] as const
export type Verb = typeof verbs[number]

/** Whose id, parent or account a command names. */
export type Whose = 'own' | 'foreign' | 'unused'

export interface Command {
  readonly verb: Verb
  /** Which table, row, other account: taken modulo how many there are. */
  readonly table: number
  readonly pick: number
  readonly other: number
  /** Which rows: all, or those with an id, a parent or an account that is `whose`. */
  readonly by: 'all' | 'id' | 'parent' | 'account' | 'wide'
  readonly whose: Whose
  /** Writes: what the row is said to belong to, and whether that is said of its account rather than of its parent. */
  readonly link: Whose
  readonly steal: boolean
  /** A part of the transaction, instead of what is above. */
  readonly part?: { readonly commands: readonly Command[], readonly fails: boolean } | undefined
}

export interface Transaction {
  /** Which account; taken modulo how many there are. */
  readonly account: number
  readonly commands: readonly Command[]
  /** `throw`: the program changes its mind. `refused`: a refused write ends it. `nobody`: there is no account. */
  readonly end: 'commit' | 'throw' | 'refused' | 'nobody'
}

const nat = fc.nat(999)
const often = <T>(usual: T, times: number, ...rare: T[]) => fc.constantFrom(...Array<T>(times).fill(usual), ...rare)

const simple = {
  verb: fc.constantFrom<Verb>(...verbs, 'insert', 'insert', 'insertMany', 'update'),
  table: nat,
  pick: nat,
  other: nat,
  by: fc.constantFrom<Command['by']>('id', 'id', 'id', 'parent', 'account', 'wide', 'all'),
  whose: fc.constantFrom<Whose>('own', 'own', 'foreign', 'unused'),
  link: often<Whose>('own', 5, 'foreign', 'unused'),
  steal: often(false, 7, true)
}
const command: fc.Arbitrary<Command> = fc.record(simple)
const part = fc.record({ commands: fc.array(command, { minLength: 1, maxLength: 3 }), fails: fc.boolean() })
const commandOrPart: fc.Arbitrary<Command> = fc.oneof({ weight: 9, arbitrary: command }, { weight: 1, arbitrary: fc.record({ ...simple, part }) })

const transaction: fc.Arbitrary<Transaction> = fc.record({
  account: nat,
  commands: fc.array(commandOrPart, { minLength: 1, maxLength: 5, size: 'max' }),
  end: often<Transaction['end']>('commit', 15, 'throw', 'throw', 'refused', 'nobody')
})

export const transactions = (most: number): fc.Arbitrary<Transaction[]> => fc.array(transaction, { minLength: 1, maxLength: most, size: 'max' })
