// One of several processes ends, by whatever: another takes its place, and the port answers meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ownServer } from '../support/own-server.ts'
import { ask, isGone, serverProcess, stop, two } from '../support/process.ts'

t.jobs = 3

t.test('a process that is killed is replaced; the other answers meanwhile', async t => {
  const server = await serverProcess(t, two)
  const [victim = 0, other = 0] = await server.pids()
  process.kill(victim, 'SIGKILL')
  while (!isGone(victim)) await sleep(5)
  await sleep(100) // the primary hears of it
  for (let i = 0; i < 5; i++) t.equal(typeof await ask(server), 'number', 'the port answers')
  const { pid, replaces } = await server.logged('process_replaced')
  t.match(replaces, { pid: victim, how: 'SIGKILL' })
  const asked = [await ask(server), await ask(server)]
  t.same(asked.toSorted(), [other, pid].toSorted())
  t.match(await stop(server), { code: 0, err: '' })
})

t.test('a process that an uncaught error ends answers what it was asked, and is replaced', async t => {
  const server = await serverProcess(t, two)
  const slow = Array.from({ length: 4 }, (_, i) => server.client().call('POST', `/api/test/pair/pair-${i}/1500`))
  await sleep(300)
  t.match(await server.client().call('POST', '/api/test/throw'), { status: 200 })
  const { replaces } = await server.logged('process_replaced')
  t.match(replaces, { how: 'exit code 1' })
  for (const answer of await Promise.all(slow)) t.match(answer, { status: 200 })
  const { code, out, err } = await stop(server)
  t.same([code, err], [0, ''], 'it is over, and does not make the end a bad one')
  t.equal(out.split('\n').filter(line => line.includes('"level":60')).length, 1)
  t.same(await server.halves(), {})
})

t.test('a process told to end by itself is replaced, too', async t => {
  const server = await serverProcess(t, two)
  const [pid = 0] = await server.pids()
  process.kill(pid, 'SIGTERM')
  t.match((await server.logged('process_replaced')).replaces, { pid, how: 'exit code 0' })
  t.match(await stop(server), { code: 0, err: '' })
})

t.test('whoever takes a place while the walls are down is not ready, and says so', async t => {
  const server = await serverProcess(t, two)
  await server.database.admin.unsafe('alter policy tenant_isolation on tasks using (true)')
  process.kill((await server.pids())[0]!, 'SIGKILL')
  const { pid } = await server.logged('process_replaced')
  t.match(await server.logged('walls_down', line => line.pid === pid), { level: 60, msg: /D08/ })
})

t.test('whoever takes a place while the database is away serves when it is back', async t => {
  const own = await ownServer(t)
  const server = await serverProcess(t, two, own.database)
  const ready = async () => (await server.client().call('GET', '/readyz')).status
  const both = async () => [await ready(), await ready()]
  t.same(await both(), [200, 200])
  await own.stop('fast')
  process.kill((await server.pids())[0]!, 'SIGKILL')
  await server.logged('process_replaced')
  t.same(await both(), [503, 503])
  await own.start()
  for (const end = Date.now() + 10_000; (await both()).join() !== '200,200'; await sleep(50)) {
    if (Date.now() > end) throw new Error('It never was ready again.')
  }
  t.match(await stop(server), { code: 0, err: '' })
})
