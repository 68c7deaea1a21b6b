// Probes the walls of a database, and the probes themselves, and sees to it that nothing is left of that.
import type { SigningKeys } from '../config.ts'
import { CommandError, sqlState } from '../errors.ts'
import { type Facts, mustFit, readFacts } from './facts.ts'
import { type Line, openLine } from './line.ts'
import { type Trial, mutate } from './mutate.ts'
import type { Result } from './probes.ts'
import { type Suite, locked, probeAsNobody, probeAsOthers, rowsOf, suiteFor } from './run.ts'

export interface Target {
  readonly appUrl: string
  /** Without it, whether FORCE binds the owner is not probed. */
  readonly ownerUrl?: string | undefined
  /** A superuser's; with it, the walls are taken down one at a time. */
  readonly adminUrl?: string | undefined
  readonly signing?: SigningKeys | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Proof {
  readonly facts: Facts
  readonly results: Result[]
  /** Whether the walls were to be taken down; they are not where they leak as they are. */
  readonly mutated: boolean
  readonly trials?: Trial[] | undefined
}

/** @throws {CommandError} if it could not run, or if the database is not as it was */
export async function prove ({ appUrl, ownerUrl, adminUrl, signing, signal }: Target): Promise<Proof> {
  const line = await openLine(appUrl, 'DATABASE_URL')
  let owner: Line | undefined
  const cut = () => Promise.all([line.end(), owner?.end()])
  signal?.addEventListener('abort', cut)
  try {
    if (ownerUrl !== undefined) owner = await openLine(ownerUrl, 'OWNER_DATABASE_URL')
    const { facts, suite, nobodys } = await line.undone(async () => {
      const facts = await readFacts(line)
      mustFit(facts, signing)
      const suite = suiteFor(facts, signing)
      return { facts, suite, nobodys: await probeAsNobody(line, suite) }
    })
    if (await rowsOf(line, suite.cast, suite.theirs) > 0) throw new CommandError('The accounts that were made up are there. Run it again: it makes up others.')
    const results = [...nobodys, ...await probeAsOthers(line, owner, suite)]
    // What leaks already needs no part taken down.
    const mutation = adminUrl !== undefined && results.every(({ verdict }) => verdict === 'held') ? await mutate(adminUrl, facts, suite, signal) : undefined
    await mustBeAsBefore(line, facts, suite)
    return { facts, results: [...results, ...mutation?.holes ?? []], mutated: adminUrl !== undefined, trials: mutation?.trials }
  } catch (error) {
    throw signal?.aborted ? error : explain(error)
  } finally {
    signal?.removeEventListener('abort', cut)
    await cut()
  }
}

function explain (error: unknown): unknown {
  if (error instanceof CommandError) return error
  const state = sqlState(error)
  if (state === '55P03') return locked(error)
  return state ? new CommandError(`The probes could not run: ${(error as Error).message} (${state}).`, { cause: error }) : error
}

async function mustBeAsBefore (line: Line, before: Facts, { cast, theirs }: Suite): Promise<void> {
  const after = await readFacts(line)
  const different = (Object.keys(after) as (keyof Facts)[]).filter(key => key !== 'now' && JSON.stringify(after[key]) !== JSON.stringify(before[key]))
  if (different.length > 0) throw new CommandError(`While this ran, the walls have changed (${different.join(', ')}); so nothing was proven. Run it again.`)
  if (await rowsOf(line, cast, theirs) > 0) throw new CommandError(`Rows of the made-up accounts ${cast.me} and ${cast.them} are there, which are not to be. Delete them.`)
}
