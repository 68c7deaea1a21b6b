// Commands and their environment, as a user may get them wrong: threats.md, D6 103-120. Single values are in ../config.test.ts, commands
// that are stopped (109) in createtestdata.test.ts, two of them on one data folder (120) in demo.test.ts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { connect as open } from '../../src/db/roles.ts'
import { subtasks } from '../../src/db/schema.ts'
import { mustBeSafe } from '../../src/doctor/audit.ts'
import { CommandError } from '../../src/errors.ts'
import { startServer } from '../../src/server.ts'
import { createDirectory } from '../../src/tenancy/directory.ts'
import { cli, run } from '../support/cli.ts'
import { type TestDatabase, slotOptions, testDatabase, testTenancy } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { testSite } from '../support/http.ts'

const environmentOf = ({ appUrl, ownerUrl }: TestDatabase) => ({ DATABASE_URL: appUrl, OWNER_DATABASE_URL: ownerUrl, PORT: '0', HOST: '127.0.0.1' })
const program = `'${process.execPath}' '${resolve(cli)}'`

/** A line of the shell; `$rowhouse` is the program. Nothing of our environment reaches it but the path. */
async function shell (line: string, environment: Record<string, string>, cwd = '.') {
  const child = spawn('sh', ['-c', line.replaceAll('$rowhouse', program)], { env: { PATH: process.env.PATH, ...environment }, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', chunk => { out += chunk })
  child.stderr.setEncoding('utf8').on('data', chunk => { err += chunk })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

t.test('words that are no command, flag or number', async t => {
  const long = 'x'.repeat(100_000) // Linux takes no argument over 128 KiB
  const cases: [name: string, args: string[], message: RegExp][] = [
    ['D6 103 no arguments', [], /^Usage: rowhouse .*Commands:/s],
    ['D6 104 unknown command', ['dem'], /^error: unknown command 'dem'/],
    ['D6 104 unknown flag', ['createtestdata', '--acc', '1'], /^error: unknown option '--acc'/],
    ...['-1', '1e3', '1\n'].map((value): [string, string[], RegExp] =>
      [`D6 106 ${JSON.stringify(value)}`, ['createtestdata', '--accounts', value], /^error: option '--accounts <n>' argument '.*' is invalid\. It must be a whole number/s]),
    ['D6 110 100 KB', ['createtestdata', '--accounts', long], /^error: option '--accounts <n>' argument 'x+\.\.\.\n/],
    ['D6 110 control characters', ['\u001b[31m\u0007\u202e\u009bx'], /^error: unknown command '\?\[31m\?\?\?x'/],
    ['D6 110 --', ['createtestdata', '--', '--accounts'], /^error: too many arguments for 'createtestdata'/]
  ]
  for (const [name, args, message] of cases) {
    const { code, out, err } = await run(t, args, { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/d' })
    t.same([code, out], [1, ''], name)
    t.match(err, message, name)
    t.ok(err.length < 3_000, name)
    t.notMatch(err, /\n\s+at /, `${name}: no stack`)
  }
})

t.test('databases that cannot be used, or must not be', async t => {
  const database = await testDatabase(t)
  const cases: [name: string, url: string, message: RegExp][] = [
    ['a superuser', database.adminUrl, /^This database is not safe to serve from\. .* superuser.*\(D01\)/],
    ['BYPASSRLS', database.bypassUrl, /^This database is not safe to serve from\. .* BYPASSRLS.*\(D01\)/],
    ['the owner', database.ownerUrl, /^This database is not safe to serve from\. The role rowhouse_owner owns .*\(D03\)/],
    ['IPv6, and nothing there', 'postgres://rowhouse_app:sesame@[::1]:1/d', /^The server of DATABASE_URL cannot be used: (?!there is no such host)/],
    ['sslmode=require, of a server without TLS', `${database.appUrl}?sslmode=require`, /^The server of DATABASE_URL cannot be used: /]
  ]
  for (const [name, url, message] of cases) {
    const error = await startServer(loadConfig({ DATABASE_URL: url, PORT: '0' }, false), url, false).then(() => undefined, error => error)
    t.type(error, CommandError, `D6 112 ${name}`)
    t.match(error.message, message, `D6 112 ${name}`)
    t.notMatch(error.message, '\n', `D6 112 ${name}: one line`)
    t.notMatch(error.message, new URL(url).password, `D6 112 ${name}: no password`)
  }
})

t.test('databases that are well, however their URL is written', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1)
  const { username, password } = new URL(database.appUrl)
  const escaped = (text: string) => [...Buffer.from(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
  for (const [name, appUrl] of [
    ['percent-escapes', database.appUrl.replace(`${username}:${password}`, `${escaped(username)}:${escaped(password)}`)],
    ['postgresql:', database.appUrl.replace('postgres:', 'postgresql:')],
    ['sslmode=disable', `${database.appUrl}?sslmode=disable`],
    ['sslmode=prefer', `${database.appUrl}?sslmode=prefer`]
  ] as const) {
    const directory = createDirectory(appUrl, slotOptions(database)) // all that connects where a server starts
    t.teardown(() => directory.close())
    await mustBeSafe(directory, loadConfig({}, false), appUrl)
    const { id } = (await directory.resolve('tenant-0.localhost'))!
    t.equal(await testTenancy(t, { ...database, appUrl }).withTenant(id, tenant => tenant.count(subtasks)), 1, `D6 112 ${name}`)
  }
  for (const [url, host, port] of [['postgres://u@[fd00::1]:99/d', 'fd00::1', 99], ['postgres://u@[::1]/d', '::1', 5432]] as const) {
    const { options } = open(url) // connects to nothing until asked something
    t.same([options.host, options.port], [[host], [port]], `D6 112 ${url}`)
  }
})

t.test('D6 107 whoever reads has seen enough', async t => {
  const database = await testDatabase(t)
  const command = 'createtestdata --accounts 12 --max-projects 2'
  const { code, out, err } = await shell(`{ $rowhouse ${command}; echo "code $?" >&2; } | head -n 1`, environmentOf(database))
  t.same([code, err], [0, 'code 0\n'])
  t.match(out, /^[^\n]+\n$/)
  t.same(await database.admin`select count(*)::int as n from accounts`, [{ n: 12 }], 'the work is done all the same')
})

t.test('D6 113 no address to listen on', async t => { // and one that is taken: demo.test.ts
  const database = await testDatabase(t)
  for (const [HOST, message] of [
    ['192.0.2.1', 'Cannot listen on 192.0.2.1:0: this machine has no such address. Set HOST to one it has.'],
    ['nothing.invalid', /^Cannot listen on nothing\.invalid:0: /]
  ] as const) await t.rejects(testSite(t, database, { HOST }), { name: 'Error', message })
})

t.test('D6 108, 120 odd surroundings', async t => {
  const database = await testDatabase(t)
  const folder = await mkdtemp(join(tmpdir(), 'rowhouse-'))
  await chmod(folder, 0o555)
  t.teardown(() => rm(folder, { recursive: true }))
  const environment = environmentOf(database)
  const create = (flags: string, change: Record<string, string> = {}, cwd?: string) =>
    shell(`$rowhouse createtestdata --accounts 1 --max-projects 1 ${flags}`, { ...environment, ...change }, cwd)
  const hash = async () => (await database.admin`select md5(string_agg(t::text, '' order by id)) as hash from tasks t`)[0]!.hash
  t.same(await create('<&- >&- 2>&-'), { code: 0, out: '', err: '' }, 'no stdin, stdout, stderr, HOME')
  const first = await hash()
  t.type(first, 'string')
  const { code, out, err } = await create('--reset', { TERM: 'xterm', TZ: 'Pacific/Kiritimati', LANG: 'C', LC_ALL: 'C' }, folder)
  t.same([code, err], [0, ''], 'a folder that cannot be written to')
  t.match(out, /^Deleting 1 .*\ntenant-0 /)
  t.notMatch(out, /[^\P{C}\n]/u, 'no terminal, so no colours and no cursor')
  t.equal(await hash(), first, 'the same data')
  const odd = { TZ: 'Mars/Phobos', LC_ALL: 'xx_XX.KOI8-R', PGTZ: 'Asia/Tokyo', PGHOST: 'nothing.invalid', PGUSER: 'postgres', PGDATABASE: 'postgres', PGPASSWORD: 'x' }
  t.same(await create('--reset --quiet', odd), { code: 0, out: '', err: '' }, '--quiet')
  t.equal(await hash(), first, 'the same data')
})
