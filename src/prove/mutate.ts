// Does the proof notice? Each part of the wall is taken down in a transaction of its own, once for the probes of nobody and once for the
// others; somebody must see it; all is rolled back. It takes a superuser, who then becomes the app role.
import { setTimeout } from 'node:timers/promises'
import { roleNames } from '../db/roles.ts'
import { CommandError, sqlState } from '../errors.ts'
import { type Facts, fingerprint, readFacts } from './facts.ts'
import { type Line, openLine } from './line.ts'
import { type Mutant, mutantsOf } from './mutants.ts'
import type { Probe, Result } from './probes.ts'
import { type Suite, inTurn, isFresh, isNobodys } from './run.ts'
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
  const lines = openLines(adminUrl)
  try {
    const holes = await trial(lines, { what: 'nothing taken down', statements: [] }, suite)
    if (holes.length > 0) return { holes }
    const trials: Trial[] = []
    for (const mutant of mutantsOf(facts)) {
      signal?.throwIfAborted()
      trials.push({ mutant, seenBy: await trial(lines, mutant, suite) })
    }
    return { holes, trials }
  } finally {
    await lines.end()
  }
}

interface Lines {
  /** On which no tenant has ever been set. */
  fresh (): Promise<Line>
  used (): Promise<Line>
  end (): Promise<void>
}

/** Two connections for all trials, as a new one takes longer than a trial; but one on which a probe got to set a tenant is replaced. */
function openLines (adminUrl: string): Lines {
  let [fresh, used]: (Line | undefined)[] = []
  const open = () => openLine(adminUrl, 'ADMIN_DATABASE_URL')
  return {
    async fresh () {
      if (fresh && !await isFresh(fresh)) {
        await fresh.end()
        fresh = undefined
      }
      fresh ??= await open()
      return fresh
    },
    async used () {
      used ??= await open()
      return used
    },
    async end () {
      await Promise.all([fresh?.end(), used?.end()])
    }
  }
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

async function trial (lines: Lines, mutant: Mutant, suite: Suite): Promise<Result[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const [fresh, used] = [await lines.fresh(), await lines.used()]
      return [
        ...await fresh.undone(() => without(fresh, mutant, suite, isNobodys)),
        ...await used.undone(() => without(used, mutant, suite, probe => !isNobodys(probe)))
      ]
    } catch (error) {
      const state = sqlState(error)
      if (state === undefined) throw error
      if (attempt === attempts || !passing.includes(state)) {
        throw new CommandError(`"${named(mutant)}" could not be tried (${state}: ${(error as Error).message}).`, { cause: error })
      }
    }
    await setTimeout(attempt * 250)
  }
}

export const named = ({ table, what }: Mutant) => table ? `${table}: ${what}` : what

async function without (line: Line, { table, statements }: Mutant, suite: Suite, isWanted: (probe: Probe) => boolean): Promise<Result[]> {
  const { mine, theirs, probes } = suite
  const concerned = probes.filter(probe => isWanted(probe) && (!table || probe.table === table))
  const become = `set local role ${roleNames.app}`
  const slow = 'set local statement_timeout = 60000' // of large tables, an index takes a while
  await line.run([slow, ...theirs.map(insertText), ...statements, 'set local statement_timeout = 5000', become])
  const plantMine = () => line.run(['set local role none', ...mine.map(insertText), become])
  const results = await inTurn(line, concerned, plantMine, roleNames.owner)
  const broken = results.find(({ verdict }) => verdict === 'error')
  if (broken) throw new CommandError(`A probe failed for a reason of its own: ${describe(broken)}.`)
  return results.filter(({ verdict }) => verdict === 'leak' || verdict === 'dead')
}
