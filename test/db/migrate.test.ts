// A database that is in use is brought up to date: a new table, beside tables that have rows and whose owner is bound.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import t, { type Test } from 'tap'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { tenantTables } from '../../src/db/schema.ts'
import { A, B, connect, testDatabase } from '../support/database.ts'
import { everythingOf, plant } from '../support/rows.ts'

/** As it was before the newest migration. @returns the migrations up to there, and the newest one's text */
async function olderMigrations (t: Test) {
  const folder = await mkdtemp(join('.tap', 'migrations-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await cp('drizzle', folder, { recursive: true })
  const journal = JSON.parse(await readFile('drizzle/meta/_journal.json', 'utf8'))
  const { tag } = journal.entries.pop()
  await writeFile(join(folder, 'meta/_journal.json'), JSON.stringify(journal))
  return { folder, newest: await readFile(`drizzle/${tag}.sql`, 'utf8') }
}

async function before (t: Test) {
  const database = await testDatabase(t)
  const { admin, ownerUrl } = database
  const { folder, newest } = await olderMigrations(t)
  await admin.unsafe('drop schema public, drizzle cascade; create schema public authorization pg_database_owner')
  await migrate(drizzle(connect(t, ownerUrl)), { migrationsFolder: folder })
  const tables = await admin<{ name: string }[]>`select oid::regclass::text as name from pg_class where relrowsecurity`
  for (const { name } of tables) await admin.unsafe(`alter table ${name} force row level security`)
  return { ...database, newest, forced: async () => (await admin`select count(*)::int as n from pg_class where relforcerowsecurity`)[0]!.n }
}

t.test('what is new is added beside rows that are there; all are forced again', async t => {
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
  const { admin, ownerUrl, forced, newest } = await before(t)
  const [, taken] = /CREATE (?:TABLE|(?:UNIQUE )?INDEX) "(\w+)"/.exec(newest)! // tables and indexes share their names
  await admin.unsafe(`create table ${taken} (x int)`)
  const walls = await forced()
  t.ok(walls > 0)
  await t.rejects(migrateDatabase(ownerUrl), { message: `A migration failed, and was undone: relation "${taken}" already exists.` })
  t.equal(await forced(), walls)
})
