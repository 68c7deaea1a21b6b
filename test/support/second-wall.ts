// Did row-level security stop what the helpers' filter should have? Each statement of a tenant's transaction is run twice: first under
// a role that row-level security does not bind, undone at once, then as it would have been. Two different answers mean that the first
// wall had a hole, which only the second one covered; the call site is reported. Same connection, same transaction, so the same data.
//
// What it covers: every statement that a slot sends after tenancy.enter and that names a tenant table, reads by their rows, writes by
// the rows they return or count. What it does not: a write that returns nothing and counts nothing, and what a trigger would do.
import { AsyncLocalStorage } from 'node:async_hooks'
import { getTableName } from 'drizzle-orm'
import type postgres from 'postgres'
import { tenantTables } from '../../src/db/schema.ts'
import { Tenant } from '../../src/tenancy/scope.ts'
import { Slot } from '../../src/tenancy/slot.ts'
import { type Owner, type TestDatabase, failLate } from './database.ts'
import { bypassRole } from './server.ts'
import { until } from './until.ts'

export interface SecondWall {
  /** Connects as the role that may be both: serving as the app role, until a statement is tried without row-level security. */
  readonly url: string
  /** What only row-level security stopped: statement, answers, call site. */
  readonly held: string[]
}

/** Until the owner is torn down, which fails if the second wall was needed, unless `held` was emptied by then. */
export function watchSecondWall (owner: Owner, { direct }: TestDatabase): SecondWall {
  const url = new URL(direct.bypassUrl) // PgBouncer refuses a connection that names a role
  url.searchParams.set('role', 'rowhouse_app')
  const held: string[] = []
  const { send } = Slot.prototype
  const names = tenantTables.map(table => `"${getTableName(table)}"`)

  Slot.prototype.send = function (text, values, way) {
    if (way === 'control' || !names.some(name => text.includes(name))) return send.call(this, text, values, way)
    const site = sites.getStore() ?? callSite()
    const quietly = (control: string) => { send.call(this, control, [], 'control').catch(() => {}) }
    quietly('savepoint second_wall')
    quietly(`set local role ${bypassRole}`)
    const without = seen(send.call(this, text, values, way))
    quietly('rollback to savepoint second_wall') // which also puts the role back
    quietly('release savepoint second_wall')
    const answer = send.call(this, text, values, way)
    const within = seen(answer)
    return Promise.all([without, within]).then(([first, second]) => {
      if (first !== second && ![first, second].includes('lost')) {
        held.push(`Only row-level security stopped: ${text}\n  without it ${first}\n  with it    ${second}\n${site}`)
      }
      return answer
    })
  }
  const restoreVerbs = noteCallSites()
  owner.teardown(() => {
    Slot.prototype.send = send
    restoreVerbs()
    if (held[0] !== undefined) failLate(owner, held[0])
  })
  return { url: url.href, held }
}

/**
 * Waits for the queries of requests that were refused before they were answered. Rows that are written or deleted beside one are there
 * with row-level security, and not without, or the other way round.
 */
export async function quiet (admin: postgres.Sql): Promise<void> {
  await until(async () => (await admin`
    select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' and backend_type = 'client backend'`).length === 0)
}

/** An answer as text; in which order rows come is not looked at. */
function seen (reply: ReturnType<Slot['send']>): Promise<string> {
  return reply.then(
    rows => JSON.stringify([rows.count, [...rows].map(row => JSON.stringify(row)).sort()]),
    error => error.name === 'PostgresError' ? `refused: ${error.code}` : 'lost')
}

const verbs = ['select', 'get', 'count', 'exists', 'tally', 'lock', 'insert', 'insertMany', 'update', 'delete'] as const
const sites = new AsyncLocalStorage<string>()

/** A statement leaves long after the helper was called, when the stack no longer tells by whom: so each call takes note of it. */
function noteCallSites (): () => void {
  const verbsOf = Tenant.prototype as unknown as Record<string, (...args: unknown[]) => unknown>
  const originals = verbs.map(name => [name, verbsOf[name]!] as const)
  for (const [name, original] of originals) {
    verbsOf[name] = function (...args) { return sites.run(callSite(), () => original.apply(this, args)) }
  }
  return () => Object.assign(verbsOf, Object.fromEntries(originals))
}

/** The first lines of the stack that are neither ours nor the core's. */
function callSite (): string {
  const { stack = '' } = new Error()
  return stack.split('\n').slice(1).filter(line => !/node_modules|node:|support\/second-wall|src\/tenancy/.test(line)).slice(0, 3).join('\n')
}
