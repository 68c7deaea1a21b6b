// A database that is in use is brought up to date: a new table, beside tables that have rows and whose owner is bound.
import t, { type Test } from 'tap'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { tenantTables } from '../../src/db/schema.ts'
import { A, B, testDatabase } from '../support/database.ts'
import { everythingOf, plant } from '../support/rows.ts'

/** As it was before the newest migration, and full. */
async function before (t: Test) {
  const database = await testDatabase(t)
  const { admin } = database
  await admin.unsafe('drop table idempotency_keys')
  await admin.unsafe('delete from drizzle.__drizzle_migrations where created_at = (select max(created_at) from drizzle.__drizzle_migrations)')
  return { ...database, forced: async () => (await admin`select count(*)::int as n from pg_class where relforcerowsecurity`)[0]!.n }
}

t.test('a table is added, with its key to the accounts; all are forced again', async t => {
  const { admin, ownerUrl, forced } = await before(t)
  await admin.unsafe(`insert into accounts (account_id, slug, name) values (${A}, 'a', 'A')`)
  await admin.unsafe(`insert into projects (account_id, id, name) values (${A}, gen_random_uuid(), 'kept')`)
  await migrateDatabase(ownerUrl)
  t.equal(await forced(), tenantTables.length)
  t.same([...await admin`select name from projects`], [{ name: 'kept' }])
  await plant(admin, B)
  const full = await everythingOf(admin, B)
  await migrateDatabase(ownerUrl)
  t.equal(await everythingOf(admin, B), full, 'and again')
})

t.test('a migration that fails says why in one line, and leaves no wall lowered', async t => {
  const { admin, ownerUrl, forced } = await before(t)
  await admin.unsafe('create table idempotency_keys (x int)')
  const walls = await forced()
  await t.rejects(migrateDatabase(ownerUrl), { message: 'A migration failed, and was undone: relation "idempotency_keys" already exists.' })
  t.equal(await forced(), walls)
  t.equal(walls, tenantTables.length - 1)
})
