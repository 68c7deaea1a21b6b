import { createHash } from 'node:crypto'
import { verify } from '@node-rs/argon2'
import { getTableName } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { type TestDataOptions, createTestData } from '../../src/testdata/create.ts'
import createtestdata from '../../src/commands/createtestdata.ts'
import { loadConfig } from '../../src/config.ts'
import { CommandError } from '../../src/errors.ts'
import { tenantTables } from '../../src/db/schema.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { run, start } from '../support/cli.ts'
import { testSite } from '../support/http.ts'

async function scene (t: Test) {
  const database = await testDatabase(t)
  const environment = { DATABASE_URL: database.appUrl, OWNER_DATABASE_URL: database.ownerUrl }
  const config = loadConfig(environment, false)
  return {
    database,
    environment,
    config,
    create: (...flags: string[]) => run(t, ['createtestdata', ...flags], environment),
    /** The same without a process of its own. */
    fill: (accounts: number, options: Partial<TestDataOptions> = {}) => createTestData(config, { ...database, release: async () => {} }, {
      accounts, amounts: few, seed: 0, append: false, reset: false, rollback: false, quiet: true, ...options
    })
  }
}

const few = { users: { min: 1, max: 5 }, projects: { min: 1, max: 3 }, tasks: { min: 1, max: 3 }, subtasks: { min: 1, max: 3 } }

/** A hash of every row of every table. */
async function fingerprint ({ admin }: TestDatabase): Promise<string> {
  const hash = createHash('sha256')
  await admin.unsafe("set timezone = 'UTC'")
  for (const name of [...tenantTables.map(getTableName), 'directory']) {
    for (const { row } of await admin`select t::text as row from ${admin(name)} t order by t::text collate "C"`) hash.update(row)
  }
  return hash.digest('hex')
}

const total = async ({ admin }: TestDatabase, table: string) => (await admin`select count(*)::int as n from ${admin(table)}`)[0]!.n as number
const small = ['--max-projects', '3', '--max-tasks', '3', '--max-subtasks', '3']

t.test('counts, names and links', async t => {
  const { database, create } = await scene(t)
  const { code, out, err } = await create('--accounts', '4', ...small)
  t.equal(code, 0, err)
  const lines = out.trim().split('\n')
  t.same(lines.slice(0, 4).map(line => line.split(' ')[0]), ['tenant-0', 'tenant-1', 'tenant-2', 'tenant-3'], 'slug and name, up to ten accounts')
  for (const [name, table] of [['Accounts', 'accounts'], ['Users', 'users'], ['Projects', 'projects'], ['Tasks', 'tasks'], ['Subtasks', 'subtasks']] as const) {
    t.match(out, `${name}: ${await total(database, table)}\n`)
  }
  t.match(out, /^\d+ rows in [\d.]+ s, \d+ a second$/m)
  const ranges = await database.admin`
    select (select count(*)::int from users u where u.account_id = a.account_id) as users, (select count(*)::int from projects p where p.account_id = a.account_id) as projects
      from accounts a`
  t.ok(ranges.every(({ users, projects }) => users >= 1 && users <= 5 && projects >= 1 && projects <= 3))
  const [user] = await database.admin`select email, password_hash from users limit 1`
  t.match(user!.email, /^[a-z0-9.-]+@example\.com$/)
  t.ok(await verify(user!.password_hash, 'password'))
  t.match(user!.password_hash, /^\$argon2id\$/)
  const site = await testSite(t, database)
  const [{ n } = { n: 0 }] = await database.admin`select count(*)::int as n from subtasks where account_id = 3`
  t.equal((await site.get('tenant-2.localhost', '/api/subtasks')).json().total, n)
})

t.test('tasks and subtasks are a number drawn per account, times projects, times tasks', async t => {
  const { database, fill } = await scene(t)
  await fill(12, { amounts: { ...few, projects: { min: 1, max: 5 }, tasks: { min: 2, max: 4 } } })
  const accounts = await database.admin`
    select (select count(*)::int from projects p where p.account_id = a.account_id) as projects,
           (select count(*)::int from tasks t where t.account_id = a.account_id) as tasks,
           (select count(*)::int from subtasks s where s.account_id = a.account_id) as subtasks from accounts a`
  t.ok(accounts.every(({ projects, tasks, subtasks }) =>
    tasks % projects === 0 && subtasks % tasks === 0 && tasks / projects <= 4 && subtasks / tasks <= 3))
  const [{ spread } = { spread: 0 }] = await database.admin`
    select count(distinct n)::int as spread from (select count(*) as n from subtasks group by account_id, task_id) x`
  t.ok(spread > 1, 'and spread at random')
  const odd = await database.admin`select name, details from subtasks where details !~ '^[A-Z][^{}]+[.!]$' or name !~ '^[A-Z][^{}]+$'`
  t.same(odd, [], 'whole sentences, without a place that was not filled')
})

t.test('an account of many statements comes whole, or not at all', async t => {
  const { database, fill } = await scene(t)
  const one = { min: 1, max: 1 }
  const amounts = { users: one, projects: one, tasks: { min: 600, max: 600 }, subtasks: { min: 2, max: 2 } }
  const all = async () => [await total(database, 'projects'), await total(database, 'tasks'), await total(database, 'subtasks')]
  await fill(2, { amounts })
  t.same(await all(), [2, 1_200, 2_400])
  await database.admin`alter table subtasks add constraint subtasks_not_yet check (account_id < 4) not valid`
  await t.rejects(fill(2, { amounts, append: true }), { name: 'PostgresError' })
  t.same([...await all(), await total(database, 'accounts'), await total(database, 'directory')], [3, 1_800, 3_600, 3, 3], 'the one before is there, of this one nothing')
})

t.test('the same seed gives the same bytes; four and two are six; another seed gives others', async t => {
  const { database, fill } = await scene(t)
  await fill(6)
  const six = await fingerprint(database)
  await fill(4, { reset: true })
  await fill(2, { append: true })
  t.equal(await fingerprint(database), six, 'a second run, with --reset, of four, and two more with --append')
  await fill(2, { reset: true, seed: 42 })
  t.equal(await fingerprint(database), 'ed52aac5dc685b5c92b609fee169a71ce6401a5bb56188501b8fdec584ef72d2',
    'worked out once: a change of these bytes changes everybody\'s test data, and wants to be known')
})

t.test('a second run says what is there, and what to do', async t => {
  const { database, fill } = await scene(t)
  await fill(2)
  const before = await fingerprint(database)
  await t.rejects(fill(2), new CommandError('There are 2 test accounts (up to tenant-1) already. Add more with --append, or replace what is there with --reset.'))
  t.equal(await fingerprint(database), before)
})

t.test('--rollback leaves nothing', async t => {
  const { database, create } = await scene(t)
  const { code, out } = await create('--accounts', '2', ...small, '--rollback')
  t.equal(code, 0)
  t.match(out, /Subtasks: \d+\n.*all rolled back/)
  for (const table of [...tenantTables.map(getTableName), 'directory']) t.equal(await total(database, table), 0, table)
})

t.test('D6 109 interrupted, it leaves whole accounts', async t => {
  const { database, environment, fill } = await scene(t)
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const before = await total(database, 'accounts')
    const running = start(t, ['createtestdata', '--accounts', '500', '--append', '--max-projects', '5'], environment)
    await running.printed(/Accounts: 50\/500/)
    running.child.kill(signal)
    t.match(await running.ended, { code: signal === 'SIGINT' ? 130 : null, err: '' }, signal)
    await database.admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${database.name} and usename <> 'postgres'`
    const n = await total(database, 'accounts')
    t.ok(n >= before + 50 && n < before + 500)
    if (signal === 'SIGINT') t.equal(Number((await database.admin`select max(account_id) from accounts`)[0]!.max), n, 'without a gap')
    const incomplete = await database.admin`
      select a.slug from accounts a where not exists (select from subtasks s where s.account_id = a.account_id) or not exists (select from directory d where d.account_id = a.account_id)`
    t.same(incomplete, [])
    await fill(1, { append: true }) // and the next run goes on from there
    t.equal(await total(database, 'accounts'), n + 1)
    t.equal(await total(database, 'directory'), n + 1)
  }
})

t.test('accounts that are not test data are left alone', async t => {
  const { database, fill } = await scene(t)
  await database.admin`insert into accounts (account_id, slug, name) values (2, 'acme', 'Acme')`
  await database.admin`insert into directory (host, account_id) values ('acme.localhost', 2)`
  await t.rejects(fill(2), { message: /^An account that is no test account has the id of one\..*$/ })
  t.same((await database.admin`select slug from accounts order by 1`).map(row => row.slug), ['acme', 'tenant-0'])
  await fill(1, { reset: true })
  t.same((await database.admin`select host from directory order by 1`).map(row => row.host), ['acme.localhost', 'tenant-0.localhost'])
})

t.test('flags that contradict each other', async t => { // bad ones: bad-inputs.test.ts
  const { config } = await scene(t)
  const amounts = { minUsers: 1, maxUsers: 5, minProjects: 1, maxProjects: 1, minTasks: 1, maxTasks: 1, minSubtasks: 1, maxSubtasks: 1 }
  const flags = { accounts: 1, seed: 0, append: false, reset: false, rollback: false, quiet: true, ...amounts }
  const create = (change: Partial<typeof flags>) => createtestdata(config, new AbortController().signal, { ...flags, ...change })
  await t.rejects(create({ minUsers: 6 }), new CommandError('--min-users (6) is greater than --max-users (5).'))
  await t.rejects(create({ append: true, reset: true }), new CommandError('--append and --reset contradict each other.'))
})
