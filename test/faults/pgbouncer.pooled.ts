// F27: through PgBouncer in transaction mode, restarted and paused under load. Not one of the *.test.ts that `npm test` runs, since that
// needs nothing but npm: `TEST_PGBOUNCER=/usr/sbin/pgbouncer npx tap run dist/test/faults/pgbouncer.pooled.js`, as .ci/run does.
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { limits } from '../../src/db/limits.ts'
import { findPooler } from '../../src/db/pooler.ts'
import { roleNames } from '../../src/db/roles.ts'
import { projects } from '../../src/db/schema.ts'
import { accountId } from '../../src/tenancy/account.ts'
import type { Tenant } from '../../src/tenancy/scope.ts'
import { createTenancy } from '../../src/tenancy/tenancy.ts'
import { furnish } from '../support/accounts.ts'
import { start } from '../support/cli.ts'
import { A, B, type TestDatabase, testDatabase, testTenancy } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { consoleUser, kill, launch, startPgBouncer, stopPgBouncer, throughPooler } from '../support/pgbouncer.ts'
import { plant } from '../support/rows.ts'
import { type Lock, bypassRole, readServer } from '../support/server.ts'
import { storm } from '../support/storm.ts'
import { raw } from '../support/raw.ts'

const program = process.env.TEST_PGBOUNCER
if (!program) throw new Error('Set TEST_PGBOUNCER to PgBouncer\'s program.')

/** A database behind a PgBouncer of its own, with fewer server connections than the clients will have. */
async function scene (t: Test, size = 5, lock: Lock = 'revoked') {
  const { direct } = await testDatabase(t, lock)
  const { password } = await readServer()
  const users = { [roleNames.app]: password, [bypassRole]: password, [consoleUser]: password }
  let pooler = await startPgBouncer({ program: program!, target: direct.appUrl, users, settings: { default_pool_size: size } })
  t.teardown(() => stopPgBouncer(pooler))
  const database: TestDatabase = {
    ...direct, appUrl: throughPooler(direct.appUrl, pooler), bypassUrl: throughPooler(direct.bypassUrl, pooler), pooled: true, direct
  }
  const commands = postgres(`postgres://${consoleUser}:${password}@127.0.0.1:${pooler.port}/pgbouncer`, { max: 1, fetch_types: false })
  t.teardown(() => commands.end({ timeout: 1 }))
  return {
    database,
    restart: async () => {
      await kill(pooler)
      await sleep(200)
      pooler = await launch(pooler)
    },
    tell: (command: 'pause' | 'resume') => commands.unsafe(command)
  }
}

function postgresOnce (t: Test, url: string): postgres.Sql {
  const client = postgres(url, { max: 1, fetch_types: false, prepare: false })
  t.teardown(() => client.end())
  return client
}

const asLost = ['connection_lost', 'commit_unknown', 'database_unavailable', 'pool_busy', 'statement_timeout']

t.test('it is recognised, with what it does not carry, and left as it was', async t => {
  const { database } = await scene(t, 1)
  t.same(await findPooler(database.appUrl), { pooler: true, namedStatements: false })
  t.same([...await postgresOnce(t, database.appUrl)`select name from pg_prepared_statements where name <> ''`], [], 'on its one connection to the server')
})

t.test('with named statements it fails, though it shows nothing; without, forty callers share two connections', async t => {
  const { database } = await scene(t, 2)
  await plant(database.admin, A, B)
  const seesItsOwn = async (tenant: Tenant) =>
    (await tenant.select({ from: projects, columns: { name: projects.name } })).map(({ name }) => name.split(' cnry')[0]).join() === `name of ${tenant.account}`
  const round = async (preparedStatements: boolean) => {
    const tenancy = createTenancy({ url: database.appUrl, poolMax: 20, preparedStatements })
    t.teardown(() => tenancy.close())
    const outcomes = await Promise.all(Array.from({ length: 40 }, async (_, caller) => {
      const own = []
      for (let i = 0; i < 5; i++) own.push(...await Promise.allSettled([tenancy.withTenant(caller % 2 ? A : B, seesItsOwn)]))
      return own
    }))
    return outcomes.flat()
  }
  const named = await round(true)
  const codes = new Set(named.map(each => each.status === 'rejected' ? each.reason.code : 'ok'))
  t.ok(codes.delete('26000') || codes.has('connection_lost'), 'PostgreSQL does not know a statement, and the slot is given up')
  t.same([...codes].filter(code => code !== 'ok' && !asLost.includes(code)), [])
  t.notOk(named.some(each => each.status === 'fulfilled' && !each.value))
  t.ok((await round(false)).every(each => each.status === 'fulfilled' && each.value))
})

t.test('the server starts and lists through it', async t => {
  const { database } = await scene(t)
  await furnish(t, database, 12, 3)
  const site = await testSite(t, database)
  const totals = await Promise.all(Array.from({ length: 60 }, async (_, i) => (await site.get(`tenant-${i % 2}.localhost`, '/api/subtasks')).json().total))
  t.same(totals, totals.map((_, i) => i % 2 ? 3 : 12))
})

t.test('so does the demo', async t => {
  const { database } = await scene(t)
  const demo = start(t, ['demo'], { DATABASE_URL: database.appUrl, OWNER_DATABASE_URL: database.ownerUrl, PREPARED_STATEMENTS: 'off', PORT: '0' })
  t.match(await demo.printed(/Ctrl-C stops everything/), /Rowhouse is ready/)
  demo.child.kill('SIGINT')
  t.match(await demo.ended, { code: 0, err: '' })
})

t.test('what an account leaves in the session of the server does not reach the next, though the connection lives on', async t => {
  const { database } = await scene(t, 1, 'signed')
  await plant(database.admin, A, B)
  const tenancy = testTenancy(t, database)
  const { transaction } = tenancy.begin(A, 'read write')
  for (const [name, to] of [['search_path', 'pg_temp'], ['app.current_tenant', 'garbage'], ['default_transaction_read_only', 'on']]) {
    const statement = sql`select set_config(${name}, ${to}, false)`
    await raw(transaction, statement)
  }
  await transaction.commit()
  await t.rejects(postgresOnce(t, database.appUrl)`select count(*) from tasks`, { code: '42P01' }, 'it is there')
  for (const account of [B, A, B]) t.equal(await tenancy.withTenant(account, tenant => tenant.count(projects)), 1)
})

t.test('F2: a kill-storm behind it', async t => {
  const { database } = await scene(t)
  const { ok, failed, killed, ...faults } = await storm(database, testTenancy(t, database, { poolMax: 10 }), {
    seconds: 4, workers: 30, accounts: 8, kill: { every: 400, chance: 0.5 }
  })
  t.comment({ ok, failed, killed })
  t.same(faults, { foreign: 0, half: 0, lies: 0, hung: 0 })
  t.ok(ok > 50 && killed > 10, 'it was a storm, and work was done in it')
  t.same(Object.keys(failed).filter(code => !asLost.includes(code)), [])
})

t.test('F27: restarted under load', async t => {
  const { database, restart } = await scene(t)
  const tenancy = testTenancy(t, database, { poolMax: 10 })
  const storming = storm(database, tenancy, { seconds: 5, workers: 30, accounts: 8 })
  for (let i = 0; i < 3; i++) {
    await sleep(1_000)
    await restart()
  }
  const { ok, failed, killed: _, ...faults } = await storming
  t.comment({ ok, failed })
  t.same(faults, { foreign: 0, half: 0, lies: 0, hung: 0 })
  t.ok(ok > 50)
  t.same(Object.keys(failed).filter(code => !asLost.includes(code)), [])
  t.ok(await tenancy.withTenant(accountId(1), tenant => tenant.count(projects)) >= 0, 'and afterwards all is well')
})

t.test('F27: paused under load, those who wait are answered at the deadline, and after RESUME all are served', async t => {
  const { database, tell } = await scene(t)
  await furnish(t, database, 12, 3)
  const site = await testSite(t, database)
  const visit = async (n: number) => {
    const started = Date.now()
    const { status, body, headers } = await site.get(`tenant-${n % 2}.localhost`, '/api/subtasks')
    const right = status === 200 ? JSON.parse(body).total === (n % 2 ? 3 : 12) : JSON.parse(body).total === undefined
    return { status, right, retryAfter: headers['retry-after'], time: Date.now() - started }
  }
  t.same((await Promise.all([0, 1, 2, 3].map(visit))).map(({ status }) => status), [200, 200, 200, 200])

  await tell('pause')
  const paused = await Promise.all(Array.from({ length: 20 }, (_, n) => visit(n)))
  t.ok(paused.every(({ status, right, retryAfter }) => status === 503 && right && retryAfter === '1'), 'each 503, with Retry-After')
  const longest = Math.max(...paused.map(({ time }) => time))
  t.comment(`the longest wait was ${longest} ms`)
  t.ok(longest < limits.reply + limits.acquire + 2_000)

  await tell('resume')
  await sleep(1_500) // until the pool tries to connect again, and the directory's answers are not those of before
  const after = await Promise.all(Array.from({ length: 20 }, (_, n) => visit(n)))
  t.same(after.map(({ status, right }) => [status, right]), after.map(() => [200, true]))
})
