// What an attack is, and what may come of it. The attacks are numbered as in the catalogue (D2).
import type { AccountId } from '../../../src/tenancy/account.ts'
import { A, B } from '../../support/database.ts'
import type { Lock } from '../../support/server.ts'

/** What the attacker knows: more than one could, to be on the safe side. */
export interface Scene {
  readonly lock: Lock
  /** The tenant context of an account, rightly signed where that is wanted: only the application can make one. */
  readonly contextOf: (account: AccountId) => string
  readonly a: Ids
  readonly b: Ids
  /** The backend of another connection of the same role, which serves B. */
  readonly victim: number
}
interface Ids { readonly project: string, readonly task: string, readonly ctid: string }

/** Of the last statement, or of the first that failed, after which nothing more is sent. */
export interface Outcome {
  readonly code?: string
  readonly message?: string
  readonly rows: Record<string, unknown>[]
  readonly count: number
  readonly notices: string[]
}

/** True, or what is wrong. */
export type Expectation = (outcome: Outcome, scene: Scene) => true | string

export interface Attack {
  readonly number: number
  readonly what: string
  /** Statements, one after the other, in a transaction of A's that is rolled back. */
  readonly steps: string[] | ((scene: Scene) => string[])
  readonly expect: Expectation | Readonly<Record<Lock, Expectation>>
  /** Nobody has entered the transaction. */
  readonly nobody?: true
  /** A hole that a superuser makes first, in the same transaction; with it the attack must be seen to succeed, or to be held by another wall. */
  readonly hole?: string[] | ((scene: Scene) => string[])
  /** What a superuser asks afterwards, in the same transaction: its reply is then what counts. */
  readonly look?: string
  /** Why it stays possible. SECURITY.md says so, too. */
  readonly accepted?: string
}

export const isOf = (account: AccountId) => (row: Record<string, unknown>) => Number(row.account_id) === account
const show = ({ code, message, rows, count }: Outcome) => JSON.stringify({ code, message, rows: rows.slice(0, 3), count })

export const refused = (code: string): Expectation => outcome => code === outcome.code || `wanted ${code}, not ${show(outcome)}`
const works = (test: (outcome: Outcome, scene: Scene) => boolean, what: string): Expectation => (outcome, scene) =>
  (outcome.code === undefined && test(outcome, scene)) || `wanted ${what}, not ${show(outcome)}`

/** Rows, all of them A's. */
export const own = works(({ rows }) => rows.length > 0 && rows.every(isOf(A)), 'rows of A only')
export const theirs = works(({ rows }) => rows.length > 0 && rows.every(isOf(B)), 'rows of B only')
/** Nothing was seen or touched. */
export const nothing = works(({ rows, count }) => rows.length === 0 && !count, 'nothing')
export const touched = (n: number) => works(({ count }) => count === n, `${n} rows`)
export const value = (expected: unknown) => works(({ rows }) => Object.values(rows[0] ?? {})[0] === expected, JSON.stringify(expected))
export const allowed = works(() => true, 'that it works')
export const that = (what: string, test: (outcome: Outcome, scene: Scene) => boolean) => works(test, what)
/** Something of B is in it: with a hole, so that the other tests are known to see. */
export const leak = that('a leak', ({ rows, notices }) => rows.some(isOf(B)) || JSON.stringify([rows, notices]).includes(`of ${B}`))

export const perLock = (revoked: Expectation, signed: Expectation) => ({ revoked, signed })
