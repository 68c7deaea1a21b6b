// Commands and their environment, as a user may get them wrong: threats.md, D6 103-120. Single values are in ../config.test.ts, commands
// that are stopped (109) in createtestdata.test.ts, two of them on one data folder (120) in demo.test.ts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { connect as open } from '../../src/db/roles.ts'
import { cli, run } from '../support/cli.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
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
    const { code, out, err } = await run(t, ['start'], { DATABASE_URL: url, PORT: '0', LOG_LEVEL: 'silent' })
    t.same([code, out], [1, ''], `D6 112 ${name}`)
    t.match(err.trimEnd(), message, `D6 112 ${name}`)
    t.equal(err.trimEnd().split('\n').length, 1, `D6 112 ${name}: one line`)
    t.notMatch(err, new URL(url).password, `D6 112 ${name}: no password`)
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
    const site = await testSite(t, { ...database, appUrl })
    t.equal((await site.get('tenant-0.localhost', '/api/subtasks')).json().total, 1, `D6 112 ${name}`)
    await site.close()
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
  t.same(await shell('$rowhouse createtestdata --accounts 1 --append --max-projects 1 --quiet <&- >&- 2>&-', environmentOf(database)), { code: 0, out: '', err: '' }, 'no stdin, stdout, stderr')
})

t.test('D6 108 no terminal, so no colours and no cursor', async t => {
  const database = await testDatabase(t)
  const { code, out, err } = await run(t, ['createtestdata', '--accounts', '2', '--max-projects', '1', '--rollback'], { ...environmentOf(database), TERM: 'xterm' })
  t.equal(code, 0, err)
  t.notMatch(out + err, /[^\P{C}\n]/u)
})

t.test('D6 113 a port that is taken', async t => {
  const database = await testDatabase(t)
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  t.teardown(() => squatter.close())
  const { port } = squatter.address() as { port: number }
  for (const [change, message] of [
    [{ PORT: String(port) }, `Cannot listen on 127.0.0.1:${port}: something else listens there. Set PORT to another one.`],
    [{ PORT: '0', HOST: '192.0.2.1' }, 'Cannot listen on 192.0.2.1:0: this machine has no such address. Set HOST to one it has.'],
    [{ PORT: '0', HOST: 'nothing.invalid' }, /^Cannot listen on nothing\.invalid:0: /]
  ] as const) await t.rejects(testSite(t, database, change), { name: 'Error', message })
})

t.test('D6 120 odd surroundings', async t => {
  const database = await testDatabase(t)
  const folder = await mkdtemp(join(tmpdir(), 'rowhouse-'))
  await chmod(folder, 0o555)
  t.teardown(() => rm(folder, { recursive: true }))
  const create = (flags: string) => `$rowhouse createtestdata --accounts 1 --max-projects 1 --quiet ${flags}`
  const well = { code: 0, out: '', err: '' }
  const environment = environmentOf(database)
  const hash = async () => (await database.admin`select md5(string_agg(t::text, '' order by id)) as hash from tasks t`)[0]!.hash
  t.same(await shell(create(''), environment), well, 'HOME not set')
  const first = await hash()
  const odd: Record<string, string>[] = [
    { TZ: 'Pacific/Kiritimati', LANG: 'C', LC_ALL: 'C' },
    { TZ: 'Mars/Phobos', LC_ALL: 'xx_XX.KOI8-R', PGTZ: 'Asia/Tokyo', PGHOST: 'nothing.invalid', PGUSER: 'postgres', PGDATABASE: 'postgres', PGPASSWORD: 'x' }
  ]
  for (const change of odd) {
    t.same(await shell(create('--reset'), { ...environment, ...change }), well, JSON.stringify(change))
    t.equal(await hash(), first, 'the same data')
  }
  t.same(await shell(create('--reset'), environment, folder), well, 'a folder that cannot be written to')
})
