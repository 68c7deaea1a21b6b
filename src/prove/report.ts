// What a person reads of a proof, and what a program does.
import { getTableName } from 'drizzle-orm'
import { tenantTables } from '../db/schema.ts'
import { contextNames } from './contexts.ts'
import { hash } from './facts.ts'
import { type Trial, describe, named } from './mutate.ts'
import { type Result, verbs } from './probes.ts'
import type { Proof } from './prove.ts'

/** 0: the walls hold, and the probes see each that is missing. 1: a leak, a dead table or a survivor. 2: a probe could not tell. */
export function exitCode ({ results, trials = [] }: Proof): 0 | 1 | 2 {
  if (results.some(isRed) || trials.some(({ seenBy }) => seenBy.length === 0)) return 1
  return results.some(({ verdict }) => verdict === 'error') ? 2 : 0
}

const isRed = ({ verdict }: Result) => verdict === 'leak' || verdict === 'dead'

export function asText (proof: Proof): string {
  const { facts, results, trials } = proof
  const { setConfigRevoked, signed } = facts.lock
  const locks = [setConfigRevoked && 'set_config is revoked', signed && 'the tenant context is signed'].filter(Boolean).join(' and ') || 'NONE'
  const bad = results.filter(({ verdict }) => verdict === 'leak' || verdict === 'dead' || verdict === 'error')
  const marks = { leak: '✗ LEAK ', dead: '✗ DEAD ', error: '! ERROR' } as Record<string, string>
  return [
    `${facts.server.database} on PostgreSQL ${facts.server.version}, as ${facts.user}; lock: ${locks}`, '',
    ...matrix(results, ({ probe }) => probe.table), '',
    ...matrix(results, ({ probe }) => probe.context), '',
    '✓ n: held n times   ✗ m/n: failed m times of n   ·: does not apply', '',
    ...bad.map(result => `${marks[result.verdict]}  ${describe(result)}`), ...bad.length ? [''] : [],
    summary(proof),
    ...trials ? ['', ...mutation(trials)] : proof.mutated && bad.length ? ['', 'No part was taken down, since the walls leak as they are.'] : []
  ].join('\n')
}

function matrix (results: Result[], rowOf: (result: Result) => string): string[] {
  const rows = [...new Set(results.map(rowOf))]
  const wide = Math.max(...rows.map(row => row.length))
  const used = verbs.filter(verb => results.some(({ probe }) => probe.verb === verb))
  const line = (name: string, cells: string[]) => `${name.padEnd(wide)}  ${cells.map((cell, i) => cell.padEnd(Math.max(used[i]!.length, 6))).join('  ')}`.trimEnd()
  return [
    line('', [...used]),
    ...rows.map(row => line(row, used.map(verb => {
      const cell = results.filter(result => rowOf(result) === row && result.probe.verb === verb && result.verdict !== 'untried')
      const held = cell.filter(({ verdict }) => verdict === 'held').length
      if (cell.length === 0) return '·'
      return held === cell.length ? `✓ ${held}` : `✗ ${cell.length - held}/${cell.length}`
    })))
  ]
}

function summary ({ results }: Proof): string {
  const count = (verdict: Result['verdict']) => results.filter(result => result.verdict === verdict).length
  const used = new Set(results.map(({ probe }) => probe.verb)).size
  const others = [count('dead') && `${count('dead')} dead`, count('error') && `${count('error')} errors`, count('untried') && `${count('untried')} not tried`].filter(Boolean)
  return [`${tenantTables.length} tables x ${used} verbs x ${contextNames.length} contexts: ${results.length} probes`, `${count('leak')} leaks`, ...others].join(', ')
}

function mutation (trials: Trial[]): string[] {
  const wide = Math.max(...trials.map(({ mutant }) => named(mutant).length))
  return [
    ...trials.map(({ mutant, seenBy }) => `${seenBy.length ? '✓ seen    ' : '✗ SURVIVED'}  ${named(mutant).padEnd(wide)}  ${witnesses(seenBy)}`.trimEnd()), '',
    `mutation score ${score(trials)} % (${trials.filter(({ seenBy }) => seenBy.length > 0).length} of ${trials.length})`
  ]
}

const score = (trials: Trial[]) => Math.floor(100 * trials.filter(({ seenBy }) => seenBy.length > 0).length / trials.length)

/** The verbs that saw it, and the contexts where these were not all. */
function witnesses (seenBy: Result[]): string {
  const seen = new Set(seenBy.map(({ probe }) => probe.context))
  const contexts = contextNames.filter(name => seen.has(name))
  return [
    verbs.filter(verb => seenBy.some(({ probe }) => probe.verb === verb)).join(' '),
    ...contexts.length > 0 && contexts.length < contextNames.length ? [contexts.join(', ')] : []
  ].join(' · ')
}

export function asJson (proof: Proof): object {
  const { facts: { server, user, role, lock, tables, functions }, results, trials } = proof
  const hashes = (definitions: Record<string, string>) => Object.fromEntries(Object.entries(definitions).map(([name, text]) => [name, hash(text)]))
  return {
    ok: exitCode(proof) === 0,
    summary: summary(proof),
    server,
    user,
    role,
    lock,
    tables: Object.fromEntries(tenantTables.map(getTableName).map(name => {
      const { rls, force, policies } = tables[name]!
      return [name, { rls, force, policies: hashes(policies) }]
    })),
    functions: hashes(functions),
    probes: results.map(result => ({ ...placeOf(result), verdict: result.verdict, detail: result.detail })),
    ...trials && {
      mutationScore: score(trials),
      mutants: trials.map(({ mutant, seenBy }) => ({ name: named(mutant), seenBy: seenBy.map(placeOf) }))
    }
  }
}

const placeOf = ({ probe: { table, verb, context } }: Result) => ({ table, verb, context })
