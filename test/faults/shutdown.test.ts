// F30, F31, F32: the process is told to end, told twice, and killed, while clients keep asking and writing.
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type Client, type Said, type ServerProcess, serverProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

t.jobs = 3

let serial = 0

/** Asks until nobody listens any more; all that was said, and the names that were written. */
async function ask (client: Client, next: () => { method: 'GET' | 'POST', path: string, name?: string }) {
  const said: Said[] = []
  const kept: string[] = []
  for (;;) {
    const { method, path, name } = next()
    const answer = await client.call(method, path)
    said.push(answer)
    if (answer.status === 200 && name) kept.push(name)
    if (answer.error) return { said, kept }
  }
}

const write = (apart: number) => () => {
  const name = `pair-${++serial}`
  return { method: 'POST' as const, path: `/api/test/pair/${name}/${apart}`, name }
}
const read = (path: string) => () => ({ method: 'GET' as const, path })

const ended = async ({ running }: ServerProcess) => {
  const from = Date.now()
  const { code, out, err } = await running.ended
  return { code, err, took: Date.now() - from, lines: out.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line)) }
}

t.test('F30: whoever takes longer than ten seconds is cut off', async t => {
  const server = await serverProcess(t)
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  socket.write('POST /api/test/pair/pair-never/0 HTTP/1.1\r\nHost: tenant-0.localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{')
  await sleep(300)
  server.running.child.kill('SIGTERM')
  const { code, took, lines } = await ended(server)
  await closed
  t.equal(code, 0)
  t.ok(took > 9_000 && took < 13_000, `ended within ${took} ms`)
  t.equal(lines.filter(line => /did not end in time/.test(line.msg) && line.connections === 1).length, 1, 'and the log says so')
})

/** One process, two of which the first is told, and two that are told all at once, as the terminal does. */
const ways = [
  { what: 'SIGTERM', environment: { WEB_CONCURRENCY: '1' }, end: async ({ running: { child } }: ServerProcess) => { child.kill('SIGTERM') } },
  { what: 'SIGTERM to the primary', environment: { WEB_CONCURRENCY: '2' }, end: async ({ running: { child } }: ServerProcess) => { child.kill('SIGTERM') } },
  {
    what: 'SIGINT to every process',
    environment: { WEB_CONCURRENCY: '2' },
    end: async ({ running: { child }, pids }: ServerProcess) => { for (const pid of [...await pids(), child.pid!]) process.kill(pid, 'SIGINT') }
  }
]

for (const { what, environment, end } of ways) {
  t.test(`F30: ${what} under load fails nobody`, async t => {
    const server = await serverProcess(t, environment)
    const writers = Array.from({ length: 3 }, () => ask(server.client(), write(30)))
    const readers = Array.from({ length: 3 }, () => ask(server.client(), read('/subtasks/')))
    const probes = ask(server.client(), read('/readyz'))
    await sleep(400)
    const slow = server.client().call('POST', '/api/test/pair/pair-slow/1800')
    await sleep(100)
    await end(server)
    const { code, took, lines, err } = await ended(server)

    t.equal(code, 0)
    t.equal(err, '')
    t.ok(took < 10_000, `ended within ${took} ms`)
    const clients = await Promise.all([...writers, ...readers])
    for (const { said } of clients) {
      const refused = said.pop()!
      t.match(refused, { reused: false, error: /^ECONN(REFUSED|RESET)$/ }, 'a connection is refused only before it carries anything')
      t.same(said.filter(({ status }) => status !== 200), [], `${said.length} replies`)
      t.equal(said.at(-1)!.last, true, 'the last of which says so')
    }
    t.match(await slow, { status: 200, last: true }, 'what had begun is finished, also when nobody new is let in')
    t.match((await probes).said.at(-2), { status: 503, last: true }, '/readyz says it before the door is closed')
    const count = (msg: string) => lines.filter(line => line.msg === msg).length
    t.equal(count('request completed'), count('incoming request'), 'nothing that came in went without an answer')

    const pairs = await server.pairs()
    t.same(await server.halves(), {})
    t.same(clients.flatMap(({ kept }) => kept).filter(name => !pairs.has(name)), [], 'what was said to be kept was')
  })
}

for (const WEB_CONCURRENCY of ['1', '2']) {
  t.test(`F31: a second SIGTERM, later than a second, ends at once (of ${WEB_CONCURRENCY})`, async t => {
    const server = await serverProcess(t, { WEB_CONCURRENCY })
    const slow = server.client().call('POST', '/api/test/pair/pair-slow/8000')
    await sleep(300)
    server.running.child.kill('SIGTERM')
    await sleep(500)
    server.running.child.kill('SIGTERM') // npm repeats the terminal's signal
    await sleep(1_000)
    t.equal(server.running.child.exitCode, null, 'a repetition within a second is the same signal')
    server.running.child.kill('SIGTERM')
    const { code, took } = await ended(server)
    t.equal(code, 1)
    t.ok(took < 2_000, `ended within ${took} ms`)
    t.match(await slow, { error: 'ECONNRESET' })
    t.same([...await server.pairs()], [], 'its half was rolled back')
  })
}

for (const WEB_CONCURRENCY of ['1', '2']) {
  t.test(`F32: SIGKILL leaves no half transaction (of ${WEB_CONCURRENCY})`, async t => {
    const server = await serverProcess(t, { WEB_CONCURRENCY })
    const writers = Array.from({ length: 6 }, () => ask(server.client(), write(20)))
    await until(async () => (await server.pairs()).size > 20, 30_000)
    server.running.child.kill('SIGKILL')
    await server.running.ended
    const kept = (await Promise.all(writers)).flatMap(({ kept }) => kept)
    const busy = () => server.database.admin`
      select from pg_stat_activity where datname = current_database() and application_name = 'rowhouse' and state <> 'idle'`
    await until(async () => (await busy()).length === 0, 10_000) // their backends notice by themselves
    const pairs = await server.pairs()
    t.ok(kept.length > 10, `${kept.length} pairs were kept`)
    t.same(await server.halves(), {})
    t.same(kept.filter(name => !pairs.has(name)), [], 'and none was lost')
  })
}
