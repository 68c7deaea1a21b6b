// Does the proof notice? Each part of the wall is taken down in a transaction of its own, on a connection of its own; the probes run,
// and somebody must see it; all is rolled back. It takes a superuser, who then becomes the app role.
import { setTimeout } from 'node:timers/promises'
import { roleNames } from '../db/roles.ts'
import { CommandError, sqlState } from '../errors.ts'
import { type Facts, fingerprint, readFacts } from './facts.ts'
import { type Line, openLine } from './line.ts'
import { type Mutant, mutantsOf } from './mutants.ts'
import type { Result } from './probes.ts'
import { type Suite, inTurn, isNobodys } from './run.ts'
import { insertText } from './samples.ts'

export interface Trial {
  readonly mutant: Mutant
  /** The probes that saw it; none: it survived. */
  readonly seenBy: Result[]
}

/**
 * @returns a hole that is seen when nothing was taken down (as where it takes a row that is there, and the database has none), or the trials
 * @throws {CommandError} if it cannot run, or if a probe fails for a reason of its own
 */
export async function mutate (adminUrl: string, facts: Facts, suite: Suite, signal?: AbortSignal): Promise<{ holes: Result[], trials?: Trial[] }> {
  await mustBeSuperuser(adminUrl, facts)
  const holes = await trial(adminUrl, { what: 'nothing taken down', statements: [] }, suite)
  if (holes.length > 0) return { holes }
  const trials: Trial[] = []
  for (const mutant of mutantsOf(facts)) {
    signal?.throwIfAborted()
    trials.push({ mutant, seenBy: await trial(adminUrl, mutant, suite) })
  }
  return { holes, trials }
}

export const describe = ({ probe, detail }: Result) => `${probe.table} · ${probe.verb} · ${probe.context}: ${detail}`

async function mustBeSuperuser (adminUrl: string, facts: Facts): Promise<void> {
  const line = await openLine(adminUrl, 'ADMIN_DATABASE_URL')
  try {
    const [me] = await line.ask('select rolsuper from pg_roles where rolname = current_user')
    if (!me!.rolsuper) throw new CommandError('ADMIN_DATABASE_URL names no superuser, which it takes to alter the walls and to become the app role.')
    if (fingerprint(await readFacts(line)) !== fingerprint(facts)) {
      throw new CommandError('ADMIN_DATABASE_URL and DATABASE_URL lead to different databases.')
    }
  } finally {
    await line.end()
  }
}

const attempts = 4
/** Of others who hold a lock, or alter the same role: tuple concurrently updated. */
const passing = ['55P03', '40P01', 'XX000']

async function trial (adminUrl: string, mutant: Mutant, suite: Suite): Promise<Result[]> {
  for (let attempt = 1; ; attempt++) {
    const line = await openLine(adminUrl, 'ADMIN_DATABASE_URL')
    try {
      return await line.undone(() => without(line, mutant, suite))
    } catch (error) {
      const state = sqlState(error)
      if (state === undefined) throw error
      if (attempt === attempts || !passing.includes(state)) {
        throw new CommandError(`"${named(mutant)}" could not be tried (${state}: ${(error as Error).message}).`, { cause: error })
      }
    } finally {
      await line.end()
    }
    await setTimeout(attempt * 250)
  }
}

export const named = ({ table, what }: Mutant) => table ? `${table}: ${what}` : what

async function without (line: Line, { table, statements }: Mutant, { mine, theirs, probes }: Suite): Promise<Result[]> {
  const concerned = table ? probes.filter(probe => probe.table === table) : probes
  const become = `set local role ${roleNames.app}`
  const slow = 'set local statement_timeout = 60000' // of large tables, an index takes a while
  await line.run([slow, ...theirs.map(insertText), ...statements, 'set local statement_timeout = 5000', become])
  const results = [
    ...await inTurn(line, concerned.filter(isNobodys)),
    ...await inTurn(line, concerned.filter(probe => !isNobodys(probe)), () => line.run(['set local role none', ...mine.map(insertText), become]), roleNames.owner)
  ]
  const broken = results.find(({ verdict }) => verdict === 'error')
  if (broken) throw new CommandError(`A probe failed for a reason of its own: ${describe(broken)}.`)
  return results.filter(({ verdict }) => verdict === 'leak' || verdict === 'dead')
}
