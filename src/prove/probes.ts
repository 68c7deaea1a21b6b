// Attempts to step over the second wall: raw SQL as the app role, aimed at the rows of another account. What makes a probe worth having
// is a hole that no other one sees; mutants.ts has that hole for every verb and every context.
import { isChangeable } from '../db/tenant-table.ts'
import { sqlState } from '../errors.ts'
import type { Cast, Context, ContextName } from './contexts.ts'
import { type Sample, insertText, parentsOf, sibling } from './samples.ts'

export const verbs = ['select', 'insert', 'update', 'move', 'delete', 'truncate', 'link', 'set_config', 'enter', 'own', 'owner'] as const
export type Verb = typeof verbs[number]

export interface Probe {
  readonly table: string
  readonly verb: Verb
  /** Who asks: 'itself' may, but to change what is only added to; 'the owner' and the others may not. */
  readonly context: ContextName | 'itself' | 'the owner'
  /** The value of app.current_tenant; null where it is not to be set. */
  readonly value: string | null
  readonly text: string
  /** A refusal: only an error will do. nothing: no row is as good. one: the account's own row, or the table is dead. */
  readonly expects: 'refusal' | 'nothing' | 'one'
  /** The SQLSTATEs that refuse. */
  readonly refused: readonly string[]
  /** The SQLSTATEs of what comes after the wall: whoever gets as far has passed it. */
  readonly passed: readonly string[]
}

export type Verdict = 'held' | 'leak' | 'dead' | 'error' | 'untried'
export interface Result { readonly probe: Probe, readonly verdict: Verdict, readonly detail: string }

type Attempt = Pick<Probe, 'verb' | 'text' | 'expects'> & Partial<Probe>

const denied = '42501'
const malformed = '22P02'
const violations = ['23502', '23503', '23505', '23514']

/** Every probe of a tenant table. @param mine a row of the stranger, @param theirs of the account that it is after */
export function probesOf (theirs: Sample, mine: Sample, cast: Cast): Probe[] {
  const { name } = theirs
  const probe = (context: Probe['context'], value: string | null, attempt: Attempt): Probe => {
    const refused = [denied, ...attempt.refused ?? [], ...context !== 'other tenant' && value ? [malformed] : []]
    return { table: name, context, value, passed: [], ...attempt, refused }
  }
  return [
    ...cast.contexts.flatMap(context => attempts(theirs, mine, cast, context).map(attempt => probe(context.name, context.value, attempt))),
    ...ownAttempts(theirs, cast).map(attempt => probe('itself', cast.contextOf(cast.them), attempt)),
    // FORCE binds the owner, whom no policy lets write. It is asked to insert, because that needs no row that is there.
    probe('the owner', null, { verb: 'owner', ...bareInsert(name, cast) })
  ]
}

/** What an account may do with its own row: change it, or where rows stay as they were written, no more than read it. */
function ownAttempts ({ table, name }: Sample, { them }: Cast): Attempt[] {
  const [where, update] = [`where account_id = ${them}`, `update ${name} set account_id = account_id`]
  return isChangeable(table)
    ? [{ verb: 'own', text: `${update} ${where} returning account_id`, expects: 'one' }]
    : [
        { verb: 'own', text: `select account_id from ${name} ${where}`, expects: 'one' },
        { verb: 'update', text: `${update} ${where}`, expects: 'refusal' },
        { verb: 'delete', text: `delete from ${name} ${where}`, expects: 'refusal' }
      ]
}

/**
 * The blind ones read no column, so that no SELECT policy helps to stop them; and dividing by zero, they fail at the first row that
 * they reach, rather than rewrite a table that stands open. (Not in WHERE: PostgreSQL may ask that before the policy, as it reads no row.)
 */
function attempts (theirs: Sample, mine: Sample, cast: Cast, context: Context): Attempt[] {
  const { name, row } = theirs
  const { me, them } = cast
  const stranger = context.name === 'other tenant'
  const change = isChangeable(theirs.table) ? 'nothing' : 'refusal'
  const boom = '1 / (random() * 0)::int'
  const after = (call: string) => // the rows are read after the call, in one statement: lateral, as they depend on it
    `select t.account_id from (select count(${call}) as done) first, lateral (
       select account_id from ${name} where first.done >= 0 and account_id <> ${me} offset 0) t limit 1`
  return [
    { verb: 'select', text: `select account_id from ${name} where account_id <> ${me} limit 1`, expects: 'nothing' },
    { verb: 'insert', ...bareInsert(name, cast) },
    { verb: 'update', text: `update ${name} set account_id = ${boom}`, expects: change, passed: ['22012'] },
    { verb: 'move', text: `update ${name} set account_id = ${them}`, expects: change, passed: violations },
    { verb: 'delete', text: `delete from ${name} returning ${boom}`, expects: change, passed: ['22012'] },
    { verb: 'truncate', text: `truncate ${name}`, expects: 'refusal', passed: ['0A000'] },
    ...parentsOf(mine.table).map(({ column }): Attempt => {
      const { row: own, ...sample } = sibling(mine)
      return { verb: 'link', text: insertText({ ...sample, row: { ...own, [column]: row[column]! } }), expects: 'refusal', refused: ['23503'] }
    }),
    // Where the context is signed, set_config may be anybody's: what it could set is what the contexts above are.
    ...cast.signed ? [] : [{ verb: 'set_config', text: after(`set_config('app.current_tenant', '${them}', true)`), expects: 'nothing' } as const],
    // With a context of theirs that is valid, as one who saw it pass could try.
    ...stranger ? [{ verb: 'enter', text: after(`tenancy.enter('${cast.contextOf(them)}')`), expects: 'nothing' } as const] : []
  ]
}

/** Policies are checked before NOT NULL and keys are. */
const bareInsert = (name: string, { them }: Cast) =>
  ({ text: `insert into ${name} (account_id) values (${them})`, expects: 'refusal', passed: violations } as const)

/** The probes of a table, view or the like that is nobody's: the app role has no right on it, so that even no row is a leak. */
export function probesOfClosed ({ name, column, writable }: { name: string, column: string, writable: boolean }, { me, contextOf }: Cast): Probe[] {
  const closed = (verb: Verb, text: string, passed: string[] = []): Probe =>
    ({ table: name, verb, context: 'other tenant', value: contextOf(me), text, expects: 'refusal', refused: [denied], passed })
  return [
    closed('select', `select from ${name} limit 0`),
    ...writable
      ? [
          closed('insert', `insert into ${name} default values`, violations),
          closed('update', `update ${name} set ${column} = default where false`),
          closed('delete', `delete from ${name} where false`),
          closed('truncate', `truncate ${name}`, ['0A000'])
        ]
      : []
  ]
}

/** @param reply how many rows came back or were touched (null where that is not counted), or the error. @throws what is no error of PostgreSQL's */
export function judge (probe: Probe, reply: number | null | Error): Result {
  if (reply instanceof Error) {
    const state = sqlState(reply)
    if (state === undefined) throw reply
    if (probe.expects === 'one') return { probe, verdict: state === denied ? 'dead' : 'error', detail: `${state} ${reply.message}` }
    if (probe.refused.includes(state)) return { probe, verdict: 'held', detail: state }
    const passed = probe.passed.includes(state)
    return { probe, verdict: passed ? 'leak' : 'error', detail: passed ? `passed the wall (then ${state})` : `${state} ${reply.message}` }
  }
  const rows = `${reply ?? 'all'} row${reply === 1 ? '' : 's'}`
  if (probe.expects === 'one') return { probe, verdict: reply === 1 ? 'held' : 'dead', detail: rows }
  return { probe, verdict: probe.expects === 'nothing' && reply === 0 ? 'held' : 'leak', detail: rows }
}
