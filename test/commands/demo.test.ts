// The first command of the README, as a user runs it, in a data folder of its own.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import t from 'tap'
import { embeddedServer } from '../../src/db/embedded.ts'
import { start } from '../support/cli.ts'
import { dataDir } from '../support/data-dir.ts'
import { freePort } from '../support/free-port.ts'

t.test('one data folder, and who comes and goes', async t => {
  const folder = await dataDir(t)
  const PORT = String(await freePort())
  const environment = { DATA_DIR: folder, PORT }
  const answers = () => fetch(`http://127.0.0.1:${PORT}/readyz`).then(reply => reply.status, () => 0)
  const runs = async () => (await readdir(join(folder, 'cluster', 'data'))).includes('postmaster.pid')
  const leases = () => readdir(join(folder, 'leases'))
  const demo = async () => {
    const running = start(t, ['demo'], environment)
    return { running, printed: await running.printed(/Ctrl-C stops everything/) }
  }

  await t.test('it serves five accounts, prints how to get at them, and ends without a trace', async t => {
    const { running, printed } = await demo()
    for (const n of [0, 1, 2, 3, 4]) t.match(printed, `http://tenant-${n}.localhost:${PORT}/`)
    t.equal(await answers(), 200)
    t.match(printed, /every password is "password":\n {2}\S+@example\.com {3}owner\n/)
    t.match(printed, /curl -s -c cookies -H 'Origin: (http:\/\/tenant-0\.localhost:\d+)' -d 'email=\S+@example\.com&password=password' \1\/sign-in\n/)

    const [app, owner] = [/postgres:\/\/rowhouse_app:\S+/, /postgres:\/\/rowhouse_owner:\S+/].map(pattern => postgres(pattern.exec(printed)![0], { max: 1 }))
    t.same(await app!`select * from accounts`, [], 'the app role sees nothing by itself')
    t.same(await owner!`select count(*)::int as n from directory`, [{ n: 5 }])
    await app!.end()
    await owner!.end()

    await t.test('D6 113 a second one finds the port taken, and leaves the first alone', async t => {
      t.same(await start(t, ['demo'], environment).ended,
        { code: 1, out: '', err: `Cannot listen on localhost:${PORT}: something else listens there. Set PORT to another one.\n` })
      t.equal(await answers(), 200)
    })

    await t.test('D6 120 a command beside it uses the same server, which outlives the command', async t => {
      t.match(await start(t, ['createtestdata', '--accounts', '1', '--append', '--max-projects', '2'], environment).ended, { code: 0, out: 'tenant-5 ' })
      t.equal(await answers(), 200)
    })

    running.child.kill('SIGINT')
    t.equal((await running.ended).code, 0)
    t.equal(await answers(), 0)
    t.notOk(await runs(), 'PostgreSQL has stopped')
    t.same(await leases(), [])
  })

  await t.test('a second run finds its data again; killed outright, it leaves a server that the next one finds', async t => {
    const { running: killed, printed } = await demo()
    t.match(printed, `http://tenant-4.localhost:${PORT}/`)
    killed.child.kill('SIGKILL')
    await killed.ended
    t.ok(await runs())
    const { running: next } = await demo()
    next.child.kill('SIGTERM')
    t.equal((await next.ended).code, 0)
    t.notOk(await runs(), 'and stops')
    t.same(await leases(), [])
  })

  await t.test('D6 109 a command that is stopped stops the server it started; unless somebody uses it, and the last one out stops it', async t => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const running = start(t, ['createtestdata', '--accounts', '600', '--append', '--max-projects', '3'], environment)
      await running.printed(/Accounts: 60\/600/)
      const beside = signal === 'SIGTERM' ? await embeddedServer(folder) : undefined
      running.child.kill(signal)
      t.match(await running.ended, { code: 130, err: '' }, signal)
      t.equal(await runs(), beside !== undefined)
      t.same(await leases(), beside ? [String(process.pid)] : [])
      await beside?.release()
      t.notOk(await runs())
    }
  })
})
