// Looks again while the server serves: a policy that disappears turns /readyz red.
import { LRUCache } from 'lru-cache'
import { AppError } from '../errors.ts'
import type { Directory } from '../tenancy/directory.ts'
import { inWords, isCritical } from './audit.ts'
import type { Finding } from './check.ts'

export interface Watch {
  /** Resolves if requests can be served; throws what stands in the way. */
  ready (): Promise<void>
  stop (): void
}

export interface WatchOptions {
  readonly directory: Directory
  readonly look: () => Promise<readonly Finding[]>
  /** Milliseconds between two looks. */
  readonly every?: number | undefined
  /** Whether the first look is not to wait for that; nor the second, if the first gets no answer. */
  readonly atOnce?: boolean
  readonly onChange: (finding: Finding | undefined) => void
}

export function watch ({ directory, look, every = 60_000, atOnce = false, onChange }: WatchOptions): Watch {
  let finding: Finding | undefined
  let timer: NodeJS.Timeout
  let stopped = false
  let seen = !atOnce
  /** The next look is planned when this one is over, so that two never overtake each other. */
  const plan = (wait: number) => { if (!stopped) timer = setTimeout(() => again().finally(() => plan(seen ? every : 1_000)), wait).unref() }
  const again = async () => {
    const findings = await look().catch(() => undefined) // a database that does not answer is the ping's to tell
    if (!findings || stopped) return
    seen = true
    const worst = findings.find(isCritical)
    if (worst?.found !== finding?.found) onChange(worst)
    finding = worst
  }
  plan(atOnce ? 0 : every)

  // Anyone may ask, as often as they like; the database is asked once a second.
  const pings = new LRUCache<'now', object>({ max: 1, ttl: 1_000, fetchMethod: () => directory.ask('select 1') })

  return {
    async ready () {
      if (finding) throw new AppError('database_unavailable', { message: 'The database is not in the state this program expects.', cause: new Error(inWords(finding)) })
      await pings.fetch('now')
    },
    stop () {
      stopped = true
      clearTimeout(timer)
    }
  }
}
