// Each check of the doctor is given a hole, and names it.
import type postgres from 'postgres'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { audit, catalogue } from '../../src/doctor/audit.ts'
import { findOrphans, findStrangeKeys } from '../../src/doctor/behind.ts'
import type { Ask, Directory } from '../../src/tenancy/directory.ts'
import { createDirectory } from '../../src/tenancy/directory.ts'
import { A, B, connect, testDatabase } from '../support/database.ts'
import { plant } from '../support/rows.ts'
import { type Lock, signing } from '../support/server.ts'
import { type Hole, holes } from './holes.ts'

const config = (lock: Lock) => ({ ...loadConfig({ DATABASE_URL: 'postgres://rowhouse_app@127.0.0.1/x' }, false), signing: lock === 'signed' ? signing : undefined })

for (const lock of ['revoked', 'signed'] as const) {
  t.test(`a database as it should be (lock: ${lock})`, async t => {
    const { appUrl } = await testDatabase(t, lock)
    const directory = createDirectory(appUrl)
    t.teardown(() => directory.close())
    t.same((await audit(directory, config(lock), appUrl)).findings, [])
  })
}

t.test('every check has a hole', async t => {
  t.same([...new Set(holes.map(hole => hole.id))].toSorted(), catalogue.map(({ id }) => id))
})

t.test('every hole is found', async t => {
  const { admin, appUrl } = await testDatabase(t)
  const [{ version } = { version: 0 }] = await admin`select current_setting('server_version_num')::int as version`
  for (const hole of holes.filter(({ since = 0 }) => version >= since)) {
    const look = () => inside(admin, hole, async door => (await audit(door, config('revoked'), appUrl)).findings)
    const found = await look().catch(error => {
      if (error.code !== 'XX000') throw error
      return look() // "tuple concurrently updated": another test has just altered the same role
    })
    t.ok(found.some(({ id, found }) => id === hole.id && hole.says.test(found)), `${hole.id}: ${hole.plant.length ? hole.plant : hole.says}`, { found })
  }
})

t.test('D42: orphans, and children of another account', async t => {
  const { admin } = await testDatabase(t)
  await plant(admin, A, B)
  t.same(await findOrphans(admin), [])
  await admin.unsafe('begin')
  await admin.unsafe('set local session_replication_role = replica')
  await admin.unsafe(`update tasks set project_id = (select id from projects where account_id = ${B}) where account_id = ${A}`)
  t.match(await findOrphans(admin), [{ id: 'D42', found: '1 rows of tasks have no projects row in their account.' }])
  await admin.unsafe('rollback')
})

t.test('D28: a key that was rotated away', async t => {
  const { ownerUrl } = await testDatabase(t, 'signed')
  const owner = connect(t, ownerUrl)
  t.same(await findStrangeKeys(owner, signing), [])
  t.match(await findStrangeKeys(owner, { current: signing.current }), [{ id: 'D28', found: /takes 1 signing key that this configuration does not have/ }])
  t.same(await findStrangeKeys(owner, undefined), [])
})

/** Plants a hole, lets `look` look at it as the app role, and undoes it. */
async function inside<T> (admin: postgres.Sql, { plant, alter }: Hole, look: (door: Pick<Directory, 'ask' | 'undone'>) => Promise<T>): Promise<T> {
  const ask: Ask = async <R>(text: string, values: unknown[] = []) => {
    const rows = await admin.unsafe(text, values as never[]).execute()
    const [row] = rows
    if (!alter || typeof row?.facts !== 'string') return [...rows] as R[]
    const facts = JSON.parse(row.facts)
    return [{ facts: JSON.stringify({ ...facts, ...alter(facts) }) }] as R[]
  }
  const settings = ['statement_timeout = 5000', 'idle_in_transaction_session_timeout = 10000', 'lock_timeout = 2000', 'client_connection_check_interval = 2000']
  await admin.unsafe('begin')
  try {
    for (const setting of settings) await admin.unsafe(`set local ${setting}`)
    for (const statement of [plant].flat()) await admin.unsafe(statement)
    await admin.unsafe('set local role rowhouse_app')
    return await look({
      ask,
      undone: work => work({
        ask,
        attempt: async (text, values) => {
          const before = admin.unsafe('savepoint undone').execute() // sent at once, so that the three of them stay together
          const reply = ask<never>(text, values)
          await Promise.all([before, reply.catch(() => {}), admin.unsafe('rollback to savepoint undone').execute()])
          return reply
        }
      })
    })
  } finally {
    await admin.unsafe('rollback')
  }
}

t.test('what the doctor says to do mends it', async t => {
  const { admin, ownerUrl, appUrl } = await testDatabase(t)
  const owner = connect(t, ownerUrl)
  const directory = createDirectory(appUrl)
  t.teardown(() => directory.close())
  const look = async () => (await audit(directory, config('revoked'), appUrl)).findings
  for (const hole of ['drop policy tenant_access on tasks', 'drop policy tenant_isolation on tasks', 'create policy stray on tasks using (true)', 'alter policy tenant_isolation on tasks using (true)']) {
    await admin.unsafe(hole)
    const { mend } = (await look()).find(({ mend }) => mend.startsWith('As the owner: '))!
    await owner.unsafe(mend.replace('As the owner: ', ''))
    t.same(await look(), [], hole)
  }
  for (const hole of ['alter table tasks disable row level security', 'alter table tasks no force row level security', 'grant truncate on tasks to rowhouse_app',
    'create or replace function tenancy.enter(context text) returns void language sql as $$ select 1 $$']) {
    await admin.unsafe(hole)
    t.ok((await look()).every(({ mend }) => mend.includes('npm run db:migrate')), hole)
    await migrateDatabase(ownerUrl)
    t.same(await look(), [], hole)
  }
})
