// Is this database safe to serve from? Named checks with stable ids: for the start, for /readyz, and for `npm run doctor`.
import { setTimeout as sleep } from 'node:timers/promises'
import { getTableName } from 'drizzle-orm'
import type { Config } from '../config.ts'
import { limits } from '../db/limits.ts'
import { expectedFunctions, expectedVersion } from '../db/migrate.ts'
import { findPooler } from '../db/pooler.ts'
import { forbidden, unreachable } from '../db/roles.ts'
import { appendOnlyTables, tenantTables } from '../db/schema.ts'
import { AppError, CommandError } from '../errors.ts'
import type { Directory } from '../tenancy/directory.ts'
import { type Check, type Expected, type Finding, findingOf } from './check.ts'
import { type Facts, factsQuery } from './facts.ts'
import { keys } from './keys.ts'
import { probe, probeWalls } from './probe.ts'
import { reach } from './reach.ts'
import { roles } from './roles.ts'
import { server } from './server.ts'
import { tables } from './tables.ts'

const checks: readonly Check[] = [...roles, ...tables, ...keys, ...reach, ...server]

/** All of them, by their numbers. D45 (Citus) has nothing to check yet. */
export const catalogue: readonly Omit<Check, 'find'>[] = [...checks, probe].toSorted((one, other) => one.id < other.id ? -1 : 1)

export interface Audit { readonly findings: readonly Finding[], readonly facts: Facts, readonly expected: Expected }

/** Runs every check as the role behind this door, in a few round trips. */
export async function audit (directory: Pick<Directory, 'ask' | 'undone'>, config: Config, url: string): Promise<Audit> {
  const [row] = await directory.ask<{ facts: string }>(factsQuery, [forbidden.join()])
  const clock = Date.now()
  const facts = JSON.parse(row!.facts) as Facts
  const migrations = facts.migrations === 'readable' ? await directory.ask<{ hash: string }>('select hash from drizzle.__drizzle_migrations') : []
  const expected: Expected = {
    tables: tenantTables.map(getTableName),
    appendOnly: appendOnlyTables(),
    version: await expectedVersion(),
    functions: await expectedFunctions(config.signing),
    migrations: migrations.map(({ hash }) => hash),
    signing: config.signing,
    connections: config.poolMax + 3 * config.processes, // each one's directory has two, and findPooler opens one
    production: config.production,
    local: isLocal(new URL(url).hostname),
    pooler: await findPooler(url),
    preparedStatements: config.preparedStatements,
    clock
  }
  const present = expected.tables.filter(name => facts.relations.some(relation => relation.name === name))
  const findings = [
    ...checks.flatMap(check => check.find(facts, expected).map(found => findingOf(check, expected, found))),
    ...(await probeWalls(directory, present, config.signing)).map(found => findingOf(probe as Check, expected, found))
  ]
  return { findings: findings.toSorted((one, other) => one.id < other.id ? -1 : one.id > other.id ? 1 : 0), facts, expected }
}

/**
 * The same before anything is served: a server that is too busy to let us in at once is waited for.
 * @throws {CommandError} in one line, if the database cannot be reached
 */
export async function firstAudit (directory: Directory, config: Config, url: string): Promise<Audit> {
  for (const end = Date.now() + limits.start; ; await sleep(250)) {
    try {
      return await audit(directory, config, url)
    } catch (error) {
      const busy = error instanceof AppError && error.code === 'pool_busy'
      if (!busy || Date.now() > end) throw unreachable('DATABASE_URL', error)
    }
  }
}

export const isCritical = ({ severity }: Finding) => severity === 'critical'

/** @throws {CommandError} in one line, if the database cannot be reached or is not safe to serve from */
export async function mustBeSafe (directory: Directory, config: Config, url: string): Promise<void> {
  const { findings } = await firstAudit(directory, config, url)
  const critical = findings.filter(isCritical)
  const finding = critical.find(({ id }) => id === 'D41') ?? critical[0] // what a migration mends is no other's fault
  if (finding) throw new CommandError(`This database is not safe to serve from. ${inWords(finding)} See: npm run doctor`)
}

export const inWords = ({ id, found, mend }: Finding) => `${found} ${mend} (${id})`

const isLocal = (host: string) => ['localhost', '[::1]', ''].includes(host) || /^127\./.test(host)
