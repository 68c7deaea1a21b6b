// The first command of the README, as a user runs it, in a data folder of its own.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import t from 'tap'
import { start } from '../support/cli.ts'
import { dataDir } from '../support/data-dir.ts'
import { freePort } from '../support/free-port.ts'

const answers = (url: string) => fetch(url).then(reply => reply.status, () => 0)

t.test('it serves five accounts, prints how to get at them, and ends without a trace', async t => {
  const folder = await dataDir(t)
  const PORT = String(await freePort())
  const environment = { DATA_DIR: folder, PORT }
  const first = start(t, ['demo'], environment)
  const printed = await first.printed(/Ctrl-C stops everything/)
  for (const n of [0, 1, 2, 3, 4]) t.match(printed, `http://tenant-${n}.localhost:${PORT}/`)
  t.equal(await answers(`http://127.0.0.1:${PORT}/readyz`), 200)
  t.match(printed, /every password is "password":\n {2}\S+@example\.com {3}owner\n/)
  t.match(printed, /curl -s -c cookies -H 'Origin: (http:\/\/tenant-0\.localhost:\d+)' -d 'email=\S+@example\.com&password=password' \1\/sign-in\n/)

  const [app, owner] = [/postgres:\/\/rowhouse_app:\S+/, /postgres:\/\/rowhouse_owner:\S+/].map(pattern => postgres(pattern.exec(printed)![0], { max: 1 }))
  t.same(await app!`select * from accounts`, [], 'the app role sees nothing by itself')
  const [accounts] = await owner!`select count(*)::int as n from directory`
  t.equal(accounts!.n, 5)
  const [{ pid } = { pid: 0 }] = await owner!`select pg_backend_pid() as pid`
  t.ok(pid > 0)
  await app!.end()
  await owner!.end()

  await t.test('D6 113 a second one finds the port taken, and leaves the first alone', async t => {
    const { code, out, err } = await start(t, ['demo'], environment).ended
    t.same([code, out], [1, ''])
    t.equal(err, `Cannot listen on localhost:${PORT}: something else listens there. Set PORT to another one.\n`)
    t.equal(await answers(`http://127.0.0.1:${PORT}/readyz`), 200)
  })

  await t.test('D6 120 a command beside it uses the same server, which outlives the command', async t => {
    const { code, out } = await start(t, ['createtestdata', '--accounts', '1', '--append', '--max-projects', '2'], environment).ended
    t.equal(code, 0)
    t.match(out, 'tenant-5 ')
    t.equal(await answers(`http://127.0.0.1:${PORT}/readyz`), 200)
  })

  first.child.kill('SIGINT')
  t.equal((await first.ended).code, 0)
  t.equal(await answers(`http://127.0.0.1:${PORT}/readyz`), 0)
  t.notOk((await readdir(join(folder, 'cluster', 'data'))).includes('postmaster.pid'), 'PostgreSQL has stopped')
  t.same(await readdir(join(folder, 'leases')), [])

  await t.test('a second run finds its data again', async t => {
    const second = start(t, ['demo'], environment)
    t.match(await second.printed(/Ctrl-C/), `http://tenant-4.localhost:${PORT}/`)
    second.child.kill('SIGTERM')
    t.equal((await second.ended).code, 0)
  })
})

t.test('the last one out stops the server, whoever started it', async t => {
  const folder = await dataDir(t)
  const running = start(t, ['createtestdata', '--accounts', '150', '--max-projects', '6'], { DATA_DIR: folder })
  await running.printed(/Accounts: 15\/150/)
  const beside = start(t, ['db:migrate'], { DATA_DIR: folder })
  t.equal((await beside.ended).code, 0)
  t.equal((await running.ended).code, 0)
  t.notOk((await readdir(join(folder, 'cluster', 'data'))).includes('postmaster.pid'))
})

t.test('D6 109 a command that is stopped stops the server it started', async t => {
  const folder = await dataDir(t)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const running = start(t, ['createtestdata', '--accounts', '300', '--append', '--max-projects', '6'], { DATA_DIR: folder })
    await running.printed(/Accounts: 30\/300/)
    running.child.kill(signal)
    t.match(await running.ended, { code: 130, err: '' }, signal)
    t.notOk((await readdir(join(folder, 'cluster', 'data'))).includes('postmaster.pid'))
    t.same(await readdir(join(folder, 'leases')), [])
  }
})

t.test('killed outright, it leaves a server that the next one finds', async t => {
  const folder = await dataDir(t)
  const environment = { DATA_DIR: folder, PORT: String(await freePort()) }
  const killed = start(t, ['demo'], environment)
  await killed.printed(/Ctrl-C/)
  killed.child.kill('SIGKILL')
  await killed.ended
  const next = start(t, ['demo'], environment)
  await next.printed(/Ctrl-C/)
  next.child.kill('SIGINT')
  t.equal((await next.ended).code, 0)
  t.notOk((await readdir(join(folder, 'cluster', 'data'))).includes('postmaster.pid'), 'and stops')
})
