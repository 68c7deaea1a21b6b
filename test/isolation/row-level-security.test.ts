// The second wall alone: raw SQL under the app role, no helper in sight. Every tenant table, every verb, every kind of stranger.
import t from 'tap'
import { prove } from '../../src/prove/prove.ts'
import { A, B, testDatabase } from '../support/database.ts'
import { everythingOf, plant } from '../support/rows.ts'
import { signing } from '../support/server.ts'

for (const lock of ['revoked', 'signed'] as const) {
  t.test(`nothing of another account can be seen or changed (lock: ${lock})`, async t => {
    const { admin, appUrl, ownerUrl } = (await testDatabase(t, lock)).direct // a pooler's connections are not fresh
    await plant(admin, A, B)
    const before = await everythingOf(admin, B)
    const { results } = await prove({ appUrl, ownerUrl, signing: lock === 'signed' ? signing : undefined })
    t.same(results.filter(({ verdict }) => verdict !== 'held'), [])
    t.ok(results.length > 200, `${results.length} probes`)
    t.equal(await everythingOf(admin, B), before, 'the other account is as it was')
  })
}
