// Attempts to step over the second wall: raw SQL under the app role, as account A or as nobody, at the rows of account B. What comes
// back is leaks; the isolation tests want none, and the mutation tests, with a wall taken down, want at least one.
import { getTableName } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import { v7 } from 'uuid'
import { roleNames } from '../../src/db/roles.ts'
import { sign } from '../../src/tenancy/context.ts'
import { A, B } from './database.ts'
import { type Sample, inDatabase, parentsOf } from './rows.ts'
import { type Lock, signing } from './server.ts'

export interface Target {
  readonly lock: Lock
  /** One connection. */
  readonly sql: postgres.Sql
  /** The role to probe as, where the connection is a superuser's. Then the owner is probed as well. */
  readonly asRole?: string
  /** What was planted: one row in each table, of A and of B. */
  readonly planted: Sample[][]
}

interface Attempt {
  readonly verb: string
  readonly text: string
  readonly values?: unknown[]
  /** Any row that the statement returns or touches is a leak, unless this says which are. */
  readonly isLeak?: (row: Record<string, unknown>) => boolean
}

export async function * leaks (target: Target): AsyncGenerator<string> {
  const [ofA, ofB] = target.planted as [Sample[], Sample[]]
  for (const [i, sample] of ofB.entries()) {
    for (const context of contexts(target.lock)) {
      for (const attempt of attempts(target.lock, sample, ofA[i]!, context.empty)) {
        const rows = await tried(target, context.statements, attempt, target.asRole)
        for (const row of rows.filter(attempt.isLeak ?? (() => true))) yield `${sample.name} · ${attempt.verb} · ${context.name}: ${JSON.stringify(row)}`
      }
    }
    // The probes must be able to see: as B itself, B's row is there and can be changed.
    for (const text of [`select * from ${sample.name} where account_id = $1`, `update ${sample.name} set account_id = account_id where account_id = $1 returning *`]) {
      const rows = await tried(target, [enter(contextOf(target.lock, B))], { verb: 'own', text, values: [B] }, target.asRole)
      if (rows.length !== 1) yield `${sample.name} · own row: ${rows.length} rows`
    }
    if (target.asRole) {
      const rows = await tried(target, [], { verb: 'owner', text: `update ${sample.name} set account_id = account_id returning *` }, roleNames.owner)
      if (rows.length > 0) yield `${sample.name} · update · owner: ${rows.length} rows`
    }
  }
}

export const contextOf = (lock: Lock, account: typeof A) => lock === 'signed' ? sign(account, signing.current) : String(account)
const enter = (context: string) => ({ text: 'select tenancy.enter($1)', values: [context] })
const set = (value: string) => ({ text: `set local app.current_tenant = '${value}'` })

/** Who asks. Never B, rightly. */
function contexts (lock: Lock): { name: string, empty?: boolean, statements: { text: string, values?: unknown[] }[] }[] {
  const soon = Math.floor(Date.now() / 1000) + 60
  return [
    { name: 'another tenant', statements: [enter(contextOf(lock, A))] },
    { name: 'no tenant', empty: true, statements: [] },
    { name: 'empty', empty: true, statements: [set('')] },
    { name: 'garbage', statements: [set('garbage')] },
    { name: 'forged signature', statements: [set(`${B}.${soon}.${'0'.repeat(64)}`)] },
    ...lock === 'revoked'
      ? []
      : [
          { name: 'no signature', statements: [set(String(B))] },
          { name: 'signature of another account', statements: [set(sign(A, signing.current, soon).replace(/^1/, String(B)))] },
          { name: 'signature by another key', statements: [set(sign(B, 'x'.repeat(40), soon))] },
          { name: 'expired', statements: [set(sign(B, signing.current, soon - 120))] }
        ]
  ]
}

/** @param empty where no tenant is set, tenancy.enter is no attack but the way to set one: our own transactions begin with it */
function attempts (lock: Lock, { table, name, row }: Sample, { row: own }: Sample, empty = false): Attempt[] {
  const key = getTableConfig(table).primaryKeys[0]!.columns.map(column => column.name)
  const insert = (values: object) => {
    const entries = Object.entries(values)
    return {
      text: `insert into ${name} (${entries.map(([column]) => column)}) values (${entries.map((_, i) => `$${i + 1}`)})`,
      values: entries.map(([, value]) => value)
    }
  }
  const fresh = (values: typeof row) => inDatabase(table, unlikeAnyOther(table, values))
  const foreign = insert(fresh(row))
  const upsert = insert(inDatabase(table, row))
  const stolen = lock === 'revoked' ? String(B) : `${B}.9999999999.${'0'.repeat(64)}`
  return [
    { verb: 'select', text: `select * from ${name} where account_id = $1`, values: [B] },
    { verb: 'select all', text: `select * from ${name}`, isLeak: found => Number(found.account_id) !== A },
    { verb: 'count', text: `select count(*)::int as n from ${name} where account_id <> $1`, values: [A], isLeak: found => found.n !== 0 },
    { verb: 'insert', ...foreign },
    { verb: 'update', text: `update ${name} set account_id = account_id where account_id = $1 returning *`, values: [B] },
    { verb: 'move', text: `update ${name} set account_id = $1 where account_id = $2`, values: [B, A] },
    { verb: 'delete', text: `delete from ${name} where account_id = $1 returning *`, values: [B] },
    { verb: 'upsert', ...upsert, text: `${upsert.text} on conflict (${key}) do update set account_id = excluded.account_id` },
    { verb: 'truncate', text: `truncate ${name} cascade` },
    ...[`set_config('app.current_tenant', '${stolen}', true)`, ...empty ? [] : [`tenancy.enter('${stolen}')`]].map(call => ({
      verb: `${call.split('(')[0]} in a select`,
      text: `with first as materialized (select ${call}) select t.* from first, ${name} t`,
      isLeak: (found: Record<string, unknown>) => Number(found.account_id) !== A
    })),
    ...parentsOf(table).map(({ column, parent }) => {
      const linked = insert(fresh({ ...own, [column]: row[column]! }))
      return { verb: `link to a ${getTableName(parent)} row`, ...linked }
    })
  ]
}

/** The same row, but for what must be unique; so that nothing but a wall stands in its way. */
function unlikeAnyOther (table: Sample['table'], row: Sample['row']): Sample['row'] {
  if (!('id' in row)) return { ...row, accountId: 3 } // the table of accounts: somebody who is not there yet
  const parents = parentsOf(table).map(({ column }) => column)
  return Object.fromEntries(Object.entries(row).map(([name, value]) =>
    [name, name === 'id' ? v7() : typeof value === 'string' && !parents.includes(name) ? `${value} ${v7()}` : value]))
}

/**
 * Runs the attempt as somebody, and undoes it. An error is a refusal, which is what we want. A statement that returns no rows but
 * touched some (we do not ask for RETURNING: it would have to see them) counts as one row.
 */
async function tried (
  { sql }: Target, statements: { text: string, values?: unknown[] }[], attempt: Attempt, role?: string
): Promise<Record<string, unknown>[]> {
  const setUp = [{ text: 'begin' }, ...role ? [{ text: `set local role ${role}` }] : [], ...statements]
  const replies = await Promise.allSettled([...setUp, attempt, { text: 'rollback' }].map(each =>
    sql.unsafe(each.text, ('values' in each ? each.values : []) as never[])))
  const reply = replies.at(-2)!
  if (reply.status === 'fulfilled') {
    const { count, command } = reply.value
    return reply.value.length > 0 || (count === 0 && !command.startsWith('TRUNCATE')) ? [...reply.value] : [{ command, count }]
  }
  if (reply.reason.name !== 'PostgresError') throw reply.reason
  return []
}
