// The four ways of the fuzz (D1): each wall alone, both, and both while backends are killed.
import { contexts } from '../../src/tenancy/context.ts'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { type Owner, type TestDatabase, slotOptions, testDatabase, testTenancy } from '../support/database.ts'
import { killBackends } from '../support/storm.ts'
import { type FuzzOptions, type FuzzReport, fuzz } from './run.ts'
import { throughHelpers, throughRawSql } from './walls.ts'

const poolMax = 10

interface Way {
  readonly what: string
  readonly run: (owner: Owner, database: TestDatabase, options: FuzzOptions) => Promise<FuzzReport & { killed?: number }>
}

export const ways = {
  'L-RLS': {
    what: 'raw SQL without filters, as the app role',
    async run (owner, database, options) {
      const pool = new SlotPool(database.appUrl, poolMax, undefined, slotOptions(database))
      owner.teardown(() => pool.close(1_000))
      return fuzz(database, throughRawSql(pool, contexts(undefined)), options)
    }
  },
  'L-APP': {
    what: 'the helpers, as a role that row-level security does not bind',
    run: (owner, database, options) => fuzz(database, throughHelpers(testTenancy(owner, database, { url: database.bypassUrl, poolMax })), options)
  },
  'L-BOTH': {
    what: 'the helpers, as the app role',
    run: (owner, database, options) => fuzz(database, throughHelpers(testTenancy(owner, database, { poolMax })), options)
  },
  'L-STORM': {
    what: 'the same, while backends are killed',
    async run (owner, database, options) {
      let over = false
      const killing = killBackends(database, { every: 50, chance: 0.1 }, () => over)
      try {
        const report = await fuzz(database, throughHelpers(testTenancy(owner, database, { poolMax })), options)
        over = true
        return { ...report, killed: await killing }
      } finally {
        over = true
      }
    }
  }
} as const satisfies Record<string, Way>

export type WayName = keyof typeof ways

/** On a database of its own. */
export async function fuzzWay (owner: Owner, name: WayName, options: FuzzOptions): Promise<FuzzReport & { killed?: number }> {
  return ways[name].run(owner, await testDatabase(owner), options)
}
