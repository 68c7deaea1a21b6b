// F34: the process stands still. Whoever comes meanwhile is served late or told so, and it goes on as soon as it can.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { serverProcess } from '../support/process.ts'
import { request, send } from '../support/wire.ts'

const paths = ['/api/subtasks', '/subtasks/', '/healthz', '/readyz']

t.test('F34: stalls of the event loop', async t => {
  const { port } = await serverProcess(t)
  const get = async (path: string) => ({ path, ...await send(port, request(`GET ${path} HTTP/1.1`, ['Host: tenant-0.localhost'])) })
  const served = async (within: number) => {
    for (const end = Date.now() + within; (await get('/api/subtasks')).status !== 200; await sleep(50)) {
      if (Date.now() > end) throw new Error('it refuses, and goes on refusing')
    }
  }
  await served(10_000)

  const burning = [get('/api/test/burn/1300')]
  await sleep(200)
  const late = get('/api/subtasks')
  burning.push(get('/api/test/burn/1300'))
  await sleep(1_900)
  const answers = await Promise.all([...paths, ...paths, ...paths].map(get)) // while the second one burns
  t.match(String((await late).status), /^(200|503)$/)
  await Promise.all(burning)

  for (const { path, status, code, headers, body } of answers) {
    if (path.endsWith('z')) t.equal(status, 200, `${path} is answered`)
    else {
      t.match({ status, headers }, { status: 503, headers: { 'retry-after': '1' } }, `${path} is not`)
      t.match(body, /The server is overloaded\. Try again in a moment\./)
      t.equal(code, path.startsWith('/api/') ? 'overloaded' : undefined)
    }
  }
  await served(3_000)
  for (const path of paths) t.equal((await get(path)).status, 200, `${path} afterwards`)
})

t.test('F34: a server that is merely busy refuses nobody', async t => {
  const { client } = await serverProcess(t)
  const statuses = new Set<number>()
  const end = Date.now() + 3_000
  await Promise.all(Array.from({ length: 6 }, async () => {
    for (const { call } = client(); Date.now() < end;) statuses.add((await call('GET', '/api/test/burn/5')).status)
  }))
  t.same([...statuses], [200])
})
