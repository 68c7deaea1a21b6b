// Several processes on one port: the limits hold for all of them together, and they end as one.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { run } from '../support/cli.ts'
import { dataDir } from '../support/data-dir.ts'
import { ask, furnished, isGone, serverProcess, two } from '../support/process.ts'

t.jobs = 2

t.test('two processes', async t => {
  const { direct } = await furnished(t)
  const FRAIL = join(await dataDir(t), 'frail')
  const server = await serverProcess(t, { ...two, POOL_MAX: '8', FRAIL }, direct)

  await t.test('connections go to them in turn, and neither is the primary', async t => {
    const asked = []
    for (let i = 0; i < 10; i++) asked.push(await ask(server))
    const pids = await server.pids()
    t.equal(new Set(pids).size, 2)
    t.notOk(pids.includes(server.running.child.pid!))
    for (const pid of pids) t.equal(asked.filter(each => each === pid).length, 5)
  })

  await t.test('POOL_MAX holds for both together, and so does half of it for one account', async t => {
    const load = { stopped: false, served: 0 }
    const work = async (account: number) => {
      for (const { call } = server.client(account); !load.stopped; load.served++) {
        const { status, error } = await call('POST', `/api/test/pair/pair-${account}/100`)
        if (status !== 200) throw new Error(`status ${status} ${error}`)
      }
    }
    /** At the most, over a second and until as many are busy as should be: connections, and those in a transaction. */
    const watch = async (wanted: number) => {
      const most = { connections: 0, busy: 0 }
      const begun = Date.now()
      for (; Date.now() < begun + 1_000 || (most.busy < wanted && Date.now() < begun + 15_000); await sleep(20)) {
        const [now] = await direct.admin<[typeof most]>`
          select count(*)::int as connections, count(*) filter (where state like 'idle in transaction%' or (state = 'active' and xact_start < now() - interval '20 ms'))::int as busy
          from pg_stat_activity where datname = current_database() and application_name = 'rowhouse'`
        most.connections = Math.max(most.connections, now.connections)
        most.busy = Math.max(most.busy, now.busy)
      }
      return most
    }
    const clients = (account: number) => Array.from({ length: 8 }, () => work(account))

    const loads = clients(0)
    t.equal((await watch(4)).busy, 4, 'one account')
    loads.push(...clients(1))
    const { connections, busy } = await watch(8)
    load.stopped = true
    await Promise.all(loads)
    t.equal(busy, 8, 'two')
    t.ok(connections >= 8 && connections <= 8 + 3 * 2, `${connections} connections: with each one's directory's two, and one while it looks at the walls`)
    t.ok(load.served > 50, `${load.served} requests`)
  })

  await t.test('who end as soon as they are started end the server: exit code 1, one line', async t => {
    await writeFile(FRAIL, '')
    const [victim = 0, other = 0] = await server.pids()
    process.kill(victim, 'SIGKILL')
    const { code, err } = await server.running.ended
    t.equal(code, 1)
    t.match(err, /^Processes end as soon as they are started, 5 of them one after the other; the last was \d+: exit code 3\.\n$/)
    t.ok(isGone(other))
  })
})

t.test('the doctor counts the connections of all', async t => {
  const { admin, direct } = await furnished(t)
  await admin.unsafe(`alter database ${direct.name} connection limit 15`)
  const doctor = async (WEB_CONCURRENCY: string) => {
    const { out } = await run(t, ['doctor', '--json'], { DATABASE_URL: direct.appUrl, WEB_CONCURRENCY })
    return JSON.parse(out).checks.find(({ id }: { id: string }) => id === 'D44').findings.map(({ found }: { found: string }) => found)
  }
  t.same(await doctor('1'), [])
  t.match(await doctor('2'), [/has 15 connections for us, and one server of ours wants up to 16\.$/])
})
