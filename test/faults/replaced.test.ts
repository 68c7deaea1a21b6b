// One of several processes ends, by whatever: another takes its place, and the port answers meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Finding } from '../../src/doctor/check.ts'
import { watch } from '../../src/doctor/watch.ts'
import { ownServer } from '../support/own-server.ts'
import { ask, isGone, logLines, serverProcess, stop, two } from '../support/process.ts'
import { until } from '../support/until.ts'

t.jobs = 2

t.test('a process that ends is replaced, one after the other, however it ended', async t => {
  const server = await serverProcess(t, two)
  const replaced = (how: string) => server.logged('process_replaced', ({ replaces }) => (replaces as { how: string }).how === how)

  await t.test('killed; the other answers meanwhile', async t => {
    const [victim = 0, other = 0] = await server.pids()
    process.kill(victim, 'SIGKILL')
    while (!isGone(victim)) await sleep(5)
    await sleep(100) // the primary hears of it
    for (let i = 0; i < 5; i++) t.equal(typeof await ask(server), 'number', 'the port answers')
    const { pid, replaces } = await replaced('SIGKILL')
    t.match(replaces, { pid: victim })
    t.same([await ask(server), await ask(server)].toSorted(), [other, pid].toSorted())
  })

  await t.test('by an uncaught error; it answers what it was asked', async t => {
    const slow = Array.from({ length: 4 }, (_, i) => server.client().call('POST', `/api/test/pair/pair-${i}/1500`))
    await sleep(300)
    t.match(await server.client().call('POST', '/api/test/throw'), { status: 200 })
    await replaced('exit code 1')
    for (const answer of await Promise.all(slow)) t.match(answer, { status: 200 })
  })

  await t.test('told to end by itself. Whoever takes the place while the walls are down is not ready, and says so', async t => {
    await server.database.admin.unsafe('alter policy tenant_isolation on tasks using (true)')
    const oldest = (await server.pids()).find(pid => !isGone(pid))! // its place has waited longest: none is given up for ending too often
    process.kill(oldest, 'SIGTERM')
    const { pid, replaces } = await replaced('exit code 0')
    t.match(replaces, { pid: oldest })
    t.match(await server.logged('walls_down', line => line.pid === pid), { level: 60, msg: /D08/ })
  })

  const { code, out, err } = await stop(server)
  t.same([code, err], [0, ''], 'what is over does not make the end a bad one')
  t.equal(logLines(out).filter(({ level, event }) => level === 60 && event !== 'walls_down').length, 1, 'the uncaught error')
  t.same(await server.halves(), {})
})

t.test('whoever takes a place while the database is away serves when it is back; who is killed while all end makes the exit code 1', async t => {
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
  t.ok(await until(async () => (await both()).join() === '200,200', 30_000), 'ready again')

  const slow = [0, 1].map(() => server.client().call('POST', '/api/test/pair/pair-0/2500'))
  await sleep(300)
  server.running.child.kill('SIGTERM')
  await sleep(300)
  process.kill((await server.pids()).find(pid => !isGone(pid))!, 'SIGKILL')
  t.same((await Promise.all(slow)).map(({ status }) => status).toSorted(), [0, 200], 'one is killed while both end: the other finishes')
  t.match(await server.running.ended, { code: 1, err: '' }, 'and that is no good end')
})

t.test('whoever cannot look at the walls at once looks again soon', async t => {
  const hole = { severity: 'critical', found: 'a hole' } as unknown as Finding
  const alive = setInterval(() => {}, 1_000) // the watch keeps no process alive by itself
  t.teardown(() => clearInterval(alive))
  const told = await new Promise(resolve => {
    let looks = 0
    const look = async () => {
      if (++looks === 1) throw new Error('the database is away')
      return [hole]
    }
    const { stop } = watch({ directory: {} as never, look, atOnce: true, onChange: resolve })
    t.teardown(stop)
  })
  t.equal(told, hole)
})
