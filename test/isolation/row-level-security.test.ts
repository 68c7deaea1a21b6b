// The second wall alone: raw SQL under the app role, no helper in sight. Every tenant table, every verb, every kind of stranger.
import t from 'tap'
import { B, connect, testDatabase } from '../support/database.ts'
import { leaks } from '../support/probes.ts'
import { everythingOf, plant } from '../support/rows.ts'

for (const lock of ['revoked', 'signed'] as const) {
  t.test(`nothing of another account can be seen or changed (lock: ${lock})`, async t => {
    const database = await testDatabase(t, lock)
    const planted = await plant(database.admin, 1 as never, 2 as never)
    const before = await everythingOf(database.admin, B)

    t.same(await all(leaks({ lock, sql: connect(t, database.appUrl), planted })), [], 'as the app role itself')
    t.same(await all(leaks({ lock, sql: database.admin, asRole: 'rowhouse_app', planted })), [], 'and the owner is bound as well')

    t.equal(await everythingOf(database.admin, B), before, 'the other account is as it was')
  })
}

async function all<T> (items: AsyncIterable<T>): Promise<T[]> {
  const list = []
  for await (const item of items) list.push(item)
  return list
}
