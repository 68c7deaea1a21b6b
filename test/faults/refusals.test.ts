// PostgreSQL answers, and refuses: it only reads, is full, or does not know our password any more. And it is restarted under load (a longer run
// with more workers: npm run faults).
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testSite } from '../support/http.ts'
import { readiness, restartUnderLoad, room } from '../support/load.ts'
import { ownServer } from '../support/own-server.ts'
import { posting, faultRoutes } from '../support/fault-routes.ts'
import { until } from '../support/until.ts'

const [host, neighbour] = ['tenant-0.localhost', 'tenant-1.localhost']

t.test('a server that refuses, and that is restarted', async t => {
  const server = await ownServer(t)
  const { admin, appUrl } = server.database
  const site = await testSite(t, server.database, {}, faultRoutes)
  const read = (at = host) => site.get(at, '/api/projects')
  const write = (name: string) => site.get(host, '/api/projects', posting(name))
  const backends = async () => (await admin`select pid from pg_stat_activity where application_name = 'rowhouse' order by pid`).map(({ pid }) => pid as number)
  const connectionFree = () => sleep(200) // once a read's COMMIT is answered; its reply has not waited for that
  const dropAll = () => admin`select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'rowhouse'`

  await t.test('F24: a default to read only does not bind us, who say what each transaction is', async t => {
    await admin`alter database rowhouse set default_transaction_read_only = on`
    await dropAll()
    t.equal((await write('by default')).status, 201)
    await admin`alter database rowhouse reset default_transaction_read_only`
  })

  await t.test('F24: a read that writes is our own mistake', async t => {
    await read()
    await connectionFree()
    const before = await backends()
    const { status, json } = await site.get(host, '/api/faults/written')
    t.match({ status, ...json() }, { status: 500, code: 'internal' })
    t.match(site.errors.at(-1), /25006/, 'which the log tells')
    t.same(await backends(), before, 'and no reason to leave the server')
  })

  await t.test('F24: a standby is read, not written, and written once it is promoted', async t => {
    await server.stop('fast')
    await server.demote()
    await server.start()
    t.equal(await readiness(site, 200), 200)
    t.equal((await read()).status, 200)
    await connectionFree()
    const before = await backends()
    const { status, json, body } = await write('to a standby')
    t.match({ status, ...json() }, { status: 503, code: 'database_unavailable' }, body)
    const givenUp = async () => {
      const now = await backends()
      return before.some(pid => !now.includes(pid))
    }
    t.ok(await until(givenUp), 'its connection is given up: the next may reach the new primary')
    t.equal((await read()).status, 200, 'reads go on')
    await admin`select pg_promote()`
    t.equal((await write('to the primary')).status, 201)
  })

  await t.test('F26: the password was changed', async t => {
    const before = site.errors.length
    await admin`alter role rowhouse_app password 'another one'`
    await dropAll()
    for (let n = 0; n < 10; n++) {
      const { status, json } = await read()
      t.match({ status, ...json() }, { status: 503, code: 'database_unavailable' })
    }
    t.equal(await readiness(site, 503), 503)
    const errors = site.errors.slice(before)
    t.equal(errors.length, 1, 'told once')
    t.match(errors[0], /password authentication failed.*the database refuses connections/)
    await admin.unsafe(`alter role rowhouse_app password '${new URL(appUrl).password}'`)
    t.equal(await readiness(site, 200), 200)
    t.equal((await read()).status, 200)
  })

  await t.test('F25: no room for more connections', async t => {
    await admin`alter role rowhouse_app connection limit 3`
    await dropAll()
    const replies = await Promise.all([...Array(20).keys()].map(n => read(n % 2 ? host : neighbour)))
    const statuses = replies.map(({ status }) => status)
    t.same(statuses.filter(status => status !== 200 && status !== 503), [])
    t.ok(statuses.includes(200), `some are served: ${statuses.join(' ')}`)
    t.equal((await site.get('probe.localhost', '/readyz')).status, 200, 'full, but it serves')

    await admin`alter role rowhouse_app connection limit 0`
    await dropAll()
    t.equal((await read()).status, 503)
    t.equal(await readiness(site, 503), 503, 'not even one')
    await admin`alter role rowhouse_app connection limit -1`
    t.equal(await readiness(site, 200), 200)
    t.same((await Promise.all([...Array(20).keys()].map(() => read()))).map(({ status }) => status), Array(20).fill(200))
  })

  for (const [number, mode] of [['F3', 'fast'], ['F4', 'immediate']] as const) {
    await t.test(`${number}: ${mode}: 503 until it is over, and no word broken`, async t => {
      const report = await restartUnderLoad(server, site, mode, { workers: 8, calm: 500 })
      const { restart, ready, longestGap, wrong, lost, kept, acknowledged, statuses } = report
      const figures = `restart ${restart} ms, longest gap ${longestGap} ms, ${JSON.stringify(statuses)}`
      t.comment(figures)
      t.ok(longestGap <= restart + room, figures)
      t.same(wrong, [], 'served or 503, and nothing else')
      t.same(ready, [200, 503, 200])
      t.ok(acknowledged > 0 && Object.keys(statuses).some(status => status.startsWith('503')), 'the load was there, and felt it')
      t.same(lost, [], 'what was acknowledged is there')
      t.same(kept, [], 'what was refused is not')
    })
  }
})
