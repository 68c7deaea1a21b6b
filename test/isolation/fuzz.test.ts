// Random commands of random accounts against a model (D1), each wall alone and both; and that this sees a wall that is down.
// `npm run fuzz` does the same for longer.
import { getTableName } from 'drizzle-orm'
import t from 'tap'
import { contexts } from '../../src/tenancy/context.ts'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { kinds } from '../fuzz/model.ts'
import { fuzz } from '../fuzz/run.ts'
import { withoutFilters } from '../fuzz/unfiltered.ts'
import { throughHelpers, throughRawSql } from '../fuzz/walls.ts'
import { type WayName, fuzzWay, ways } from '../fuzz/ways.ts'
import { slotOptions, testDatabase, testTenancy } from '../support/database.ts'

const options = { tenants: 20, seed: Date.now() % 1e9 }
const few = { transactions: 200, tenants: 5, seed: 1, enough: 1 } // to see what is to be seen, always the same
const clean = { leaks: 0, differences: 0, problems: [] }

for (const [name, { what }] of Object.entries(ways)) {
  t.test(`${name}: ${what}`, async t => {
    const wanted = name === 'L-STORM' ? 500 : 300 // long enough for backends to be killed in it
    const { leaks, differences, problems, refused, transactions, ...rest } = await fuzzWay(t, name as WayName, { ...options, transactions: wanted })
    t.same({ leaks, differences, problems }, clean, `npm run fuzz -- --only ${name} --seed ${options.seed} --transactions ${wanted}`)
    t.ok(transactions >= wanted)
    t.ok(refused > transactions / 10, `${refused} refused`)
    if (name === 'L-STORM') t.ok(rest.killed! > 0 && rest.faults > 0, 'it was a storm')
  })
}

t.test('it sees that the second wall is down, on each table', async t => {
  const database = await testDatabase(t)
  const pool = new SlotPool(database.appUrl, 4, undefined, slotOptions(database))
  t.teardown(() => pool.close(1_000))
  const look = () => fuzz(database, throughRawSql(pool, contexts(undefined)), few)
  for (const table of kinds.map(kind => getTableName(kind.table))) {
    await database.admin.unsafe(`alter policy tenant_isolation on ${table} using (true) with check (true)`)
    const report = await look()
    t.ok(report.leaks + report.differences > 0, table) // to be told that a foreign row is there already is a difference
    await database.admin.unsafe(`alter policy tenant_isolation on ${table} using (account_id = tenancy.current_account()) with check (account_id = tenancy.current_account())`)
  }
  const { leaks, differences, problems } = await look()
  t.same({ leaks, differences, problems }, clean, 'nothing but that')
})

t.test('it sees that the first wall is down; the second one then holds alone', async t => {
  withoutFilters(t)
  const database = await testDatabase(t)
  const bypassed = await fuzz(database, throughHelpers(testTenancy(t, database, { url: database.bypassUrl })), few)
  t.ok(bypassed.leaks > 0, bypassed.problems[0]!)
  const { leaks, differences, problems } = await fuzz(database, throughHelpers(testTenancy(t, database)), few)
  t.same({ leaks, differences, problems }, clean)
})

t.test('it sees work that was kept in part', async t => {
  const database = await testDatabase(t)
  const whole = throughHelpers(testTenancy(t, database))
  let n = 0
  const report = await fuzz(database, {
    ...whole,
    run: (account, steps, end) => whole.run(account, steps, end === 'throw' && ++n > 3 ? 'commit' : end) // as if a rollback were forgotten
  }, few)
  t.ok(report.differences > 0, report.problems[0]!)
})
