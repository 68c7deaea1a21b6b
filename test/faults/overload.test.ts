// F34: the process stands still. Whoever comes meanwhile is served late or told so, and it goes on as soon as it can.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { serverProcess } from '../support/process.ts'
import { asSignedIn } from '../support/signed-in.ts'
import { until } from '../support/until.ts'
import { request, send } from '../support/wire.ts'

const paths = ['/api/subtasks', '/subtasks/', '/healthz', '/readyz']

t.test('F34: stalls of the event loop', async t => {
  const { port, client, running } = await serverProcess(t, { REFUSES: '1' })
  const get = async (path: string) => ({ path, ...await send(port, request(`GET ${path} HTTP/1.1`, ['Host: tenant-0.localhost', `Cookie: ${asSignedIn('tenant-0.localhost').cookie}`])) })
  const recovered = async () => {
    if (!await until(async () => (await get('/api/subtasks')).status === 200, 5_000)) throw new Error('it refuses, and goes on refusing')
  }
  await sleep(3_000) // how long it blames its own start

  await t.test('a server that is merely busy refuses nobody', async t => {
    const statuses = new Set<number>()
    const end = Date.now() + 2_500
    await Promise.all(Array.from({ length: 6 }, async () => {
      for (const { call } = client(); Date.now() < end;) statuses.add((await call('GET', '/api/test/burn/5')).status)
    }))
    t.same([...statuses], [200])
  })

  // One stall after another, for as long as it takes those in between to be refused once; refused themselves, they try again.
  const enough = new AbortController()
  const stalls = Promise.all(Array.from({ length: 3 }, async () => {
    for (const { call } = client(); !enough.signal.aborted;) if ((await call('GET', '/api/test/burn/600')).status === 503) await sleep(50)
  }))
  const refused = new Map<string, Awaited<ReturnType<typeof get>>>()
  for (const end = Date.now() + 20_000; refused.size < 2 && Date.now() < end;) {
    const [api, page, ...probes] = await Promise.all(paths.map(get))
    for (const answer of [api!, page!]) {
      if (answer.body.includes('overloaded')) refused.set(answer.path, answer)
      else t.match(String(answer.status), /200|503/, 'late but served, or told that it was too late')
    }
    t.same(probes.map(({ status }) => status), [200, 200], 'probes are answered all the while')
  }
  enough.abort()
  await stalls

  t.equal(refused.size, 2, 'the API and the page')
  for (const { path, code, headers, body } of refused.values()) {
    t.match(headers, { 'retry-after': '1' })
    t.match(body, /The server is overloaded\. Try again in a moment\./)
    t.equal(code, path.startsWith('/api/') ? 'overloaded' : undefined)
  }
  await recovered()
  for (const path of paths) t.equal((await get(path)).status, 200, `${path} afterwards`)

  await t.test('a crowd that comes while it stands still is let in, and not left to try again seconds later', async t => {
    running.child.kill('SIGSTOP')
    const crowd = Array.from({ length: 700 }, () => connect(port, '127.0.0.1').on('error', () => {})) // Node's own queue would take 512
    try {
      const connected = () => crowd.filter(({ connecting, destroyed }) => !connecting && !destroyed).length
      await until(() => connected() === crowd.length, 5_000)
      t.equal(connected(), crowd.length)
    } finally {
      running.child.kill('SIGCONT')
      for (const socket of crowd) socket.destroy()
    }
    await recovered()
  })
})
