// F34: the process stands still. Whoever comes meanwhile is served or told so, and it goes on as soon as it can.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { request } from '../support/wire.ts'
import { ours, watchedSite } from '../support/watched.ts'

const burn = (milliseconds: number) => {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

t.test('F34: stalls of the event loop', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1)
  const site = await watchedSite(t, database, scope => {
    scope.get('/burn', async () => {
      burn(600)
      return {}
    })
  })
  const get = (path: string) => site.send(request(`GET ${path} HTTP/1.1`, ours))
  const settled = async () => {
    for (const end = Date.now() + 5_000; (await get('/api/subtasks')).status !== 200; await sleep(20)) if (Date.now() > end) throw new Error('it did not recover')
  }
  await settled()

  const burning = [get('/test/burn')]
  await sleep(100)
  burning.push(get('/test/burn'))
  const during = [0, 1, 2, 3, 4].flatMap(() => ['/api/subtasks', '/subtasks/', '/nothing/here', '/healthz', '/readyz']).map(async path => ({ path, ...await get(path) }))
  await Promise.all(burning)
  const after = ['/api/subtasks', '/subtasks/', '/healthz', '/readyz'].map(async path => ({ path, ...await get(path) }))
  const answers = await Promise.all([...during, ...after])

  for (const { path, status, text } of answers) {
    if (/z$/.test(path)) t.equal(status, 200, `${path} is answered`)
    else t.match(String(status), /^(200|404|503)$/, `${path}: ${text.slice(0, 80)}`)
  }
  const refused = (path: string) => answers.find(answer => answer.path === path && answer.status === 503)
  t.match(refused('/api/subtasks'), {
    code: 'overloaded', headers: { 'retry-after': '1', 'content-type': /^application\/problem\+json/ }, body: /"The server is overloaded. Try again in a moment."/
  })
  t.match(refused('/subtasks/'), { headers: { 'retry-after': '1', 'content-type': /^text\/html/ }, body: /The server is overloaded\. Try again in a moment\./ })

  await sleep(1000)
  for (const path of ['/api/subtasks', '/subtasks/']) t.equal((await get(path)).status, 200, `${path} a second later`)
})

t.test('F34: a server that is merely busy refuses nobody', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1)
  const site = await watchedSite(t, database, scope => {
    scope.get('/work', async () => {
      burn(5)
      return {}
    })
  })
  const statuses = new Set<number>()
  const worker = async (end: number) => {
    while (Date.now() < end) statuses.add((await site.send(request('GET /test/work HTTP/1.1', ours))).status)
  }
  await Promise.all(Array.from({ length: 4 }, () => worker(Date.now() + 2_000)))
  t.same([...statuses], [200])
})
