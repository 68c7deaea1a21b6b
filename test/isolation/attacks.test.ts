// The seventy attacks of the catalogue (D2), as the app role in a transaction of account A, under each lock on the tenant's name; and the
// same by the way in which the application sends its statements. Those that stay possible are named in SECURITY.md.
import { readFile } from 'node:fs/promises'
import { sql as drizzleSql } from 'drizzle-orm'
import type postgres from 'postgres'
import t, { type Test } from 'tap'
import { tasks } from '../../src/db/schema.ts'
import { sqlState } from '../../src/errors.ts'
import { A, B, type TestDatabase, connect, contextOf, testDatabase, testTenancy } from '../support/database.ts'
import { everythingOf, plant } from '../support/rows.ts'
import { type Attack, type Outcome, type Scene, isOf } from './attacks/attack.ts'
import { attacks as to26 } from './attacks/01-26.ts'
import { attacks as to49 } from './attacks/27-49.ts'
import { attacks as to70 } from './attacks/50-70.ts'
import { raw as unhelped } from '../support/raw.ts'

const attacks: Attack[] = [...to26, ...to49, ...to70]
const extended = { prepare: false, simple: false } as postgres.UnsafeQueryOptions

t.test('all seventy are there', async t => {
  t.same([...new Set(attacks.map(attack => attack.number))].toSorted((a, b) => a - b), Array.from({ length: 70 }, (_, i) => i + 1))
})

for (const lock of ['revoked', 'signed'] as const) {
  t.test(`lock: ${lock}`, async t => {
    const { direct: database } = await testDatabase(t, lock)
    const scene = await prepare(t, database)
    const before = await everythingOf(database.admin, B)
    const app = listening(t, database.appUrl)
    const admin = listening(t, database.adminUrl)
    const tenancy = testTenancy(t, database, { poolMax: 2 })

    for (const attack of attacks) {
      const steps = typeof attack.steps === 'function' ? attack.steps(scene) : attack.steps
      const expect = typeof attack.expect === 'function' ? attack.expect : attack.expect[lock]
      const name = `D2 #${attack.number}: ${attack.what}`
      const outcome = await raw(attack.hole ? admin : app, attack, steps, scene)
      const verdict = expect(outcome, scene)
      t.ok(verdict === true, verdict === true ? name : `${name}: ${verdict}`)
      if (attack.hole || attack.nobody || attack.number === 41) continue

      const sent = await throughSlot(steps)
      const stopped = steps.some(step => !/^(select|with|insert|update|delete)\b/.test(step))
      t.equal(sent.code === 'statement_refused', stopped && !['42501', '42601'].includes(sent.code ?? ''), `${name}, through a slot: ${sent.code ?? 'allowed'}`)
      if (!stopped) t.equal(expect(sent, scene), true, `${name}, through a slot`)
      t.notOk(sent.rows.some(isOf(B)), `${name}, through a slot, shows nothing of B`)
    }
    t.equal(await everythingOf(database.admin, B), before, 'B is as it was')
    t.equal(await tenancy.withTenant(B, tenant => tenant.count(tasks)), 1, 'and sees what is its own')

    async function throughSlot (steps: string[]): Promise<Outcome> {
      const { transaction } = tenancy.begin(A, 'read write')
      let reply: postgres.RowList<postgres.Row[]> | undefined
      try {
        for (const step of steps) {
          const statement = drizzleSql.raw(step)
          reply = await unhelped(transaction, statement) as never
        }
        return { rows: [...reply!], count: reply!.count, notices: [] }
      } catch (error) {
        return { code: sqlState(error) ?? (error as { code: string }).code, rows: [], count: 0, notices: [] }
      } finally {
        await transaction.rollback()
      }
    }
  })
}

t.test('D2 #41: copy to the client gives what a select gives', async t => {
  const { direct: database } = await testDatabase(t)
  await plant(database.admin, A, B)
  const app = connect(t, database.appUrl)
  await app.unsafe(`begin; select tenancy.enter('${A}')`)
  for (const text of ['copy tasks to stdout', 'copy (select * from tasks) to stdout', `copy (select * from tasks where account_id = ${B} or true) to stdout`]) {
    let lines = ''
    for await (const chunk of await app.unsafe(text).readable()) lines += chunk
    t.match(lines, new RegExp(`^${A}\t[^\n]+\n$`), text)
  }
  await app.unsafe('rollback')
})

t.test('D2 #48: a child of B\'s row and of no row are refused in the same words', async t => {
  const { direct: database } = await testDatabase(t)
  const scene = await prepare(t, database)
  const app = listening(t, database.appUrl)
  const words = async (attack: Attack) => {
    const { code, message } = await raw(app, attack, typeof attack.steps === 'function' ? attack.steps(scene) : attack.steps, scene)
    return { code, message }
  }
  const [ofB, ofNobody] = [47, 48].map(number => attacks.find(attack => attack.number === number)!)
  t.same(await words(ofB!), await words(ofNobody!))
})

t.test('SECURITY.md says which attacks stay possible, those and no others', async t => {
  const named = [...(await readFile('SECURITY.md', 'utf8')).matchAll(/^\| D2 #(\d+) \|/gm)].map(match => Number(match[1]))
  t.same(named.toSorted((a, b) => a - b), [...new Set(attacks.filter(attack => attack.accepted).map(attack => attack.number))])
})

/** A's rows and B's, many more of B's in one table, statistics, and a session that serves B meanwhile. */
async function prepare (t: Test, database: TestDatabase): Promise<Scene> {
  const { admin, lock } = database
  const [ofA, ofB] = await plant(admin, A, B)
  await admin`insert into projects (account_id, id, name) select ${B}, gen_random_uuid(), 'project ' || n || ' of 2' from generate_series(1, 600) n`
  await admin.unsafe('analyze')
  const victim = connect(t, database.appUrl)
  await victim.unsafe('begin')
  await victim.unsafe('select tenancy.enter($1)', [contextOf(lock, B)])
  await victim.unsafe('select name from projects where name = $1', ['a value of B'])
  const [{ pid } = { pid: 0 }] = await admin`select pid from pg_stat_activity where datname = ${database.name} and query like '%where name = $1'`
  const ids = async (samples: NonNullable<typeof ofA>) => {
    const id = (name: string) => String(samples.find(sample => sample.name === name)!.row.id)
    const [row] = await admin`select ctid::text from tasks where id = ${id('tasks')}`
    return { project: id('projects'), task: id('tasks'), ctid: row!.ctid as string }
  }
  return { lock, contextOf: account => contextOf(lock, account as typeof A), a: await ids(ofA!), b: await ids(ofB!), victim: pid }
}

interface Listening { readonly sql: postgres.Sql, readonly notices: string[] }

function listening (t: Test, url: string): Listening {
  const notices: string[] = []
  const sql = connect(t, url, notice => notices.push(notice.message!))
  return { sql, notices }
}

/** One connection, on which nothing stands between the attacker and PostgreSQL but the extended protocol. */
async function raw ({ sql, notices }: Listening, attack: Attack, steps: string[], scene: Scene): Promise<Outcome> {
  notices.length = 0
  let reply: postgres.RowList<postgres.Row[]> | undefined
  try {
    await sql.unsafe('begin')
    const holes = typeof attack.hole === 'function' ? attack.hole(scene) : attack.hole ?? []
    for (const hole of holes) await sql.unsafe(hole)
    if (attack.hole && !holes.some(hole => hole.startsWith('set local role'))) await sql.unsafe('set local role rowhouse_app')
    if (!attack.nobody) await sql.unsafe('select tenancy.enter($1)', [scene.contextOf(A)])
    for (const step of steps) reply = await sql.unsafe(step, [], extended)
    if (attack.look) {
      await sql.unsafe('reset role')
      reply = await sql.unsafe(attack.look)
    }
    return { rows: [...reply!], count: reply!.count, notices: [...notices] }
  } catch (error) {
    const { code, message } = error as postgres.PostgresError
    return { code, message, rows: [], count: 0, notices: [...notices] }
  } finally {
    await sql.unsafe('rollback')
    for (const left of ['deallocate all', 'close all', 'unlisten *', 'reset all']) await sql.unsafe(left)
  }
}
