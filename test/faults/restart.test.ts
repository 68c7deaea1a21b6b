// PostgreSQL is restarted under load. A longer run with more workers: npm run faults.
import t from 'tap'
import { testSite } from '../support/http.ts'
import { restartUnderLoad, room } from '../support/load.ts'
import { ownServer } from '../support/own-server.ts'

t.test('a restart under load', async t => {
  const server = await ownServer(t)
  const site = await testSite(t, server.database)
  for (const [number, mode] of [['F3', 'fast'], ['F4', 'immediate']] as const) {
    await t.test(`${number}: ${mode}: 503 until it is over, and no word broken`, async t => {
      const report = await restartUnderLoad(server, site, mode, { workers: 12, calm: 1_000 })
      const { restart, ready, longestGap, wrong, lost, kept, acknowledged, statuses } = report
      const figures = `restart ${restart} ms, longest gap ${longestGap} ms, ${JSON.stringify(statuses)}`
      t.comment(figures)
      t.ok(longestGap <= restart + room, figures)
      t.same(wrong, [], 'served or 503, and nothing else')
      t.same(ready, [200, 503, 200])
      t.ok(acknowledged > 0 && Object.keys(statuses).some(status => status.startsWith('503')), 'the load was there, and felt it')
      t.same(lost, [], 'what was acknowledged is there')
      t.same(kept, [], 'what was refused is not')
    })
  }
})
