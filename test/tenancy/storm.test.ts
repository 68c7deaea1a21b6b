import t from 'tap'
import { testDatabase, testTenancy } from '../support/database.ts'
import { storm } from '../support/storm.ts'

for (const wall of ['both walls', 'the helpers alone'] as const) {
  t.test(`backends die under thirty workers; ${wall} stand`, async t => {
    const uncaught: unknown[] = []
    const note = (error: unknown) => { uncaught.push(error) }
    process.on('uncaughtExceptionMonitor', note)
    t.teardown(() => process.off('uncaughtExceptionMonitor', note))

    const database = await testDatabase(t)
    const tenancy = testTenancy(t, database, { url: wall === 'both walls' ? database.appUrl : database.bypassUrl, poolMax: 10 })
    const kill = { every: 100, chance: 0.3 }
    const { ok, failed, killed, ...faults } = await storm(database, tenancy, { seconds: 3, workers: 30, accounts: 8, kill })

    t.comment({ ok, failed, killed })
    t.same(faults, { foreign: 0, half: 0, lies: 0, hung: 0 })
    t.same(uncaught, [])
    t.ok(ok > 50 && killed > 20, 'it was a storm, and work was done in it')
    t.strictSame(Object.keys(failed).filter(code => !['connection_lost', 'commit_unknown', 'database_unavailable', 'pool_busy'].includes(code)), [],
      'only what a lost connection may look like')
  })
}
