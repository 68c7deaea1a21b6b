// The embedded server: one for a data folder, found, shared, and never mistaken for another process.
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import postgres from 'postgres'
import t from 'tap'
import { embeddedServer } from '../../src/db/embedded.ts'
import { dataDir } from '../support/data-dir.ts'

const start = (folder: string) => embeddedServer(folder, { durable: false })
const pidFile = (folder: string) => join(folder, 'cluster', 'data', 'postmaster.pid')

t.test('started, found, released', async t => {
  const folder = await dataDir(t)
  const first = await start(folder)
  t.ok(first.started)
  const sql = postgres(`postgres://postgres:${first.passwords.admin}@127.0.0.1:${first.port}/postgres`, { max: 1 })
  const [settings] = await sql`
    select current_setting('listen_addresses') as addresses, current_setting('server_encoding') as encoding, current_setting('TimeZone') as timezone,
           (select datlocprovider::text || datlocale from pg_database where datname = 'postgres') as locale`
  t.same({ ...settings }, { addresses: '127.0.0.1', encoding: 'UTF8', timezone: 'UTC', locale: 'bC.UTF-8' }, 'the same on every machine')
  await sql.end()
  await t.rejects(postgres(`postgres://postgres:guessed@127.0.0.1:${first.port}/postgres`, { max: 1 })`select 1`, { code: '28P01' }, 'nobody gets in without the password')
  const [second, third] = await Promise.all([start(folder), start(folder)])
  t.same([second.started, second.port, third.port], [false, first.port, first.port])
  await first.release()
  await t.rejects(readFile(pidFile(folder)), 'one process holds one lease: it is the last')

  const squatter = createServer().listen(first.port, '127.0.0.1')
  t.teardown(() => squatter.close())
  for (const pid of [process.pid, 1, 2 ** 22 - 1]) {
    await writeFile(pidFile(folder), `${pid}\n${folder}\n0\n54999\n\n127.0.0.1\n0 0\nready\n`)
    const server = await start(folder)
    t.ok(server.started, `a pid file that a crash left is recognised, whoever has that number now: not process ${pid}`)
    t.not(server.port, 54999)
    t.not(server.port, first.port, 'a taken port is passed over')
    await server.release()
  }
})

t.test('a folder that only its owner can enter will do, for root as well, who cannot run PostgreSQL', async t => {
  const folder = await dataDir(t, 0o700)
  for (const time of ['first', 'second']) {
    const server = await start(folder)
    t.ok(server.started, time)
    await server.release()
  }
  // what a user does to start anew; the files that lie elsewhere must not be in the way
  for (const file of await readdir(folder)) await rm(join(folder, file), { recursive: true })
  await (await start(folder)).release()
})

t.test('folders that will not do, in one line', async t => {
  const folder = await dataDir(t)
  const file = join(folder, 'file')
  await writeFile(file, '')
  await t.rejects(start(join(file, 'data')), { message: /^The data folder .* is not writable \(ENOTDIR\)\. Set DATA_DIR to one that is\.$/ })
  await mkdir(join(folder, 'cluster', 'data'), { recursive: true })
  await writeFile(join(folder, 'cluster', 'data', 'PG_VERSION'), '15\n')
  await t.rejects(start(folder), { message: /is of PostgreSQL 15; this is 18/ })
  await writeFile(join(folder, 'cluster', 'data', 'PG_VERSION'), '18\n')
  await t.rejects(start(folder), { message: /has a server but no secrets\.json/ })
  await writeFile(join(folder, 'secrets.json'), JSON.stringify({ passwords: {}, port: 54320 }))
  await t.rejects(start(folder), { message: /^The embedded PostgreSQL does not start: .* \(its log: .*server\.log\)$/ })
})
