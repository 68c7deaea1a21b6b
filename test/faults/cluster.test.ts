// Several processes on one port: the limits hold for all of them together, and whatever happens to one is mended, or ends all in order.
import { readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { run, start } from '../support/cli.ts'
import { dataDir } from '../support/data-dir.ts'
import { ownServer } from '../support/own-server.ts'
import { type ServerProcess, furnished, serverProcess } from '../support/process.ts'

t.jobs = 2

const two = { WEB_CONCURRENCY: '2' }

/** Which process answers a new connection. */
const ask = async ({ client }: ServerProcess) => {
  const { status, body } = await client().call('GET', '/api/test/pid')
  return status === 200 ? Number(body) : `status ${status}`
}

const isGone = (pid: number) => {
  try { return !process.kill(pid, 0) } catch { return true }
}

const stop = async ({ running }: ServerProcess, signal: NodeJS.Signals = 'SIGTERM') => {
  running.child.kill(signal)
  return running.ended
}

t.test('connections go to two processes in turn, none of which is the primary', async t => {
  const server = await serverProcess(t, two)
  const asked = []
  for (let i = 0; i < 10; i++) asked.push(await ask(server))
  const pids = await server.pids()
  t.equal(new Set(pids).size, 2)
  t.notOk(pids.includes(server.running.child.pid!))
  for (const pid of pids) t.equal(asked.filter(each => each === pid).length, 5)
  t.match(await stop(server), { code: 0, err: '' })
})

t.test('POOL_MAX holds for all together, and so does half of it for one account', async t => {
  const { direct } = await furnished(t)
  const server = await serverProcess(t, { ...two, POOL_MAX: '8' }, direct)
  const load = { stopped: false, served: 0 }
  const work = async (account: number) => {
    for (const { call } = server.client(account); !load.stopped; load.served++) {
      const { status } = await call('POST', `/api/test/pair/pair-${account}/40`)
      if (status !== 200) throw new Error(`status ${status}`)
    }
  }
  /** At the most, over two seconds, after all have begun: connections, and those in a transaction. */
  const watch = async () => {
    await sleep(500)
    const most = { connections: 0, busy: 0 }
    for (const end = Date.now() + 2_000; Date.now() < end; await sleep(10)) {
      const [now] = await direct.admin<[typeof most]>`
        select count(*)::int as connections, count(*) filter (where state like 'idle in transaction%' or (state = 'active' and xact_start < now() - interval '20 ms'))::int as busy
        from pg_stat_activity where datname = current_database() and application_name = 'rowhouse'`
      most.connections = Math.max(most.connections, now.connections)
      most.busy = Math.max(most.busy, now.busy)
    }
    return most
  }
  const clients = (account: number) => Array.from({ length: 10 }, () => work(account))

  const loads = clients(0)
  t.equal((await watch()).busy, 4, 'one account')
  loads.push(...clients(1))
  const { connections, busy } = await watch()
  load.stopped = true
  await Promise.all(loads)
  t.equal(busy, 8, 'two')
  t.ok(connections >= 8 && connections <= 8 + 2 * 2, `${connections} connections: with the directories' two for each process`)
  t.ok(load.served > 100, `${load.served} requests`)
})

t.test('the doctor counts the connections of all', async t => {
  const { admin, direct } = await furnished(t)
  await admin.unsafe(`alter database ${direct.name} connection limit 13`)
  const doctor = async (WEB_CONCURRENCY: string) => {
    const { out } = await run(t, ['doctor', '--json'], { DATABASE_URL: direct.appUrl, WEB_CONCURRENCY })
    return JSON.parse(out).checks.find(({ id }: { id: string }) => id === 'D44').findings.map(({ found }: { found: string }) => found)
  }
  t.same(await doctor('1'), [])
  t.match(await doctor('2'), [/has 13 connections for us, and one server of ours wants up to 14\.$/])
})

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

t.test('processes that end as soon as they are started end the server: exit code 1, one line', async t => {
  const FRAIL = join(await dataDir(t), 'frail')
  const server = await serverProcess(t, { ...two, FRAIL })
  const [victim = 0, other = 0] = await server.pids()
  const slow = server.client().call('POST', '/api/test/pair/pair-0/500')
  t.match(await slow, { status: 200 })
  await writeFile(FRAIL, '')
  process.kill(victim, 'SIGKILL')
  const { code, err } = await server.running.ended
  t.equal(code, 1)
  t.match(err, /^Processes end as soon as they are started, 5 of them one after the other; the last was \d+: exit code 3\.\n$/)
  t.ok(isGone(other))
})

t.test('a process that is killed while all end makes the exit code 1', async t => {
  const server = await serverProcess(t, two)
  const slow = [0, 1].map(() => server.client().call('POST', '/api/test/pair/pair-0/3000'))
  await sleep(300)
  server.running.child.kill('SIGTERM')
  await sleep(300)
  process.kill((await server.pids())[0]!, 'SIGKILL')
  t.same((await Promise.all(slow)).map(({ status }) => status).toSorted(), [0, 200], 'the other finishes')
  t.match(await server.running.ended, { code: 1, err: '' })
})

t.test('a start that cannot be is told once', async t => {
  const { appUrl, admin } = (await furnished(t)).direct
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  t.teardown(() => taken.close())
  const { port } = taken.address() as { port: number }
  const environment = { DATABASE_URL: appUrl, HOST: '127.0.0.1', PORT: String(port), WEB_CONCURRENCY: '3' }
  const refused = async (message: RegExp, more = {}) => {
    const { code, out, err } = await run(t, ['start'], { ...environment, ...more })
    t.same([code, out], [1, ''])
    t.match(err, new RegExp(`^${message.source}\n$`))
  }
  await refused(/Cannot listen on 127\.0\.0\.1:\d+: something else listens there\. .*/)
  await refused(/The server of DATABASE_URL cannot be used: nothing listens there\./, { DATABASE_URL: 'postgres://rowhouse_app:x@127.0.0.1:1/x', PORT: '0' })
  await refused(/POOL_MAX is "5", but must be at least 6 with WEB_CONCURRENCY=3: .*/, { POOL_MAX: '5' })
  await admin.unsafe('alter table tasks disable row level security')
  await refused(/This database is not safe to serve from\. .*\(D04\) See: npm run doctor/, { PORT: '0' })
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

t.test('the embedded server is held by the primary, for all of them, and released in the end', async t => {
  const DATA_DIR = await dataDir(t)
  const running = start(t, ['start'], { ...two, DATA_DIR, PORT: '0', HOST: '127.0.0.1' })
  await running.printed(/(Server listening[^]*){2}/)
  t.same(await readdir(join(DATA_DIR, 'leases')), [String(running.child.pid)])
  running.child.kill('SIGINT')
  t.match(await running.ended, { code: 0, err: '' })
  t.same(await readdir(join(DATA_DIR, 'leases')), [])
  t.notOk((await readdir(join(DATA_DIR, 'cluster', 'data'))).includes('postmaster.pid'))
})
