import type { SigningKeys } from '../config.ts'
import type { Pooler } from '../db/pooler.ts'
import type { Facts, Relation } from './facts.ts'

/** critical: the server refuses to start. high: the doctor's exit code is 1. medium, low: it says so. */
export type Severity = 'critical' | 'high' | 'medium' | 'low'

/** What this program takes for granted of its database. */
export interface Expected {
  /** Its tenant tables. */
  readonly tables: readonly string[]
  /** Those of them that are only added to. */
  readonly appendOnly: readonly string[]
  readonly version: { readonly migration: string, readonly walls: string }
  /** The bodies of the functions in the schema tenancy, by name. */
  readonly functions: ReadonlyMap<string, string>
  readonly migrations: readonly string[]
  readonly signing: SigningKeys | undefined
  readonly connections: number
  readonly production: boolean
  /** Is the server on this machine? */
  readonly local: boolean
  readonly pooler: Pooler
  readonly preparedStatements: boolean
  /** This program's clock, when it had the facts: milliseconds since 1970. */
  readonly clock: number
}

/** What is wrong, as a sentence; with the way to mend it, and how bad it is, where these are not the check's usual ones. */
export type Found = string | readonly [found: string, mend: string, severity?: Severity]

export interface Check {
  /** The number in the catalogue of checks (D3); stable. */
  readonly id: string
  readonly severity: Severity | ((expected: Expected) => Severity)
  /** What is so if nothing is found. */
  readonly title: string
  /** The usual way to mend it; '' if each finding has its own. */
  readonly mend: string
  readonly find: (facts: Facts, expected: Expected) => readonly Found[]
}

export interface Finding { readonly id: string, readonly severity: Severity, readonly found: string, readonly mend: string }

export const findingOf = ({ id, severity, mend }: Check, expected: Expected, found: Found): Finding => {
  const [sentence, way, its] = typeof found === 'string' ? [found, mend] : found
  return { id, severity: its ?? (typeof severity === 'function' ? severity(expected) : severity), found: sentence, mend: way }
}

export const migrate = 'Run npm run db:migrate.'
export const setUp = 'Run npm run db:setup as a superuser.'

/** Tables whose rows belong to accounts and that the role can reach, or that this program knows. */
export const tenantTablesOf = ({ relations }: Facts, { tables }: Expected): Relation[] =>
  relations.filter(({ kind, name, account, privileges }) => kind === 'table' && (tables.includes(name) || (account !== null && privileges.length > 0)))

export const holds = ({ privileges }: Relation, ...wanted: string[]): string[] => privileges.filter(each => wanted.includes(each))
