// PostgreSQL is there and says nothing: one backend is stopped in its tracks (SIGSTOP), or the whole server.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { limits } from '../../src/db/limits.ts'
import { startServer } from '../../src/server.ts'
import { testSite } from '../support/http.ts'
import { readiness } from '../support/load.ts'
import { ownServer } from '../support/own-server.ts'
import { posting, faultRoutes } from '../support/fault-routes.ts'

const [host, neighbour] = ['tenant-0.localhost', 'tenant-1.localhost']
const room = 1_000 // ms

Object.assign(limits, { reply: 4_000, start: 4_000 }) // the same, sooner

t.test('a server that falls silent', async t => {
  const server = await ownServer(t)
  const { admin } = server.database
  const site = await testSite(t, server.database, {}, faultRoutes)
  const read = (at: string) => site.get(at, '/api/projects')
  const backends = async () => (await admin`select pid from pg_stat_activity where application_name = 'rowhouse'`).map(({ pid }) => pid as number)
  const rows = async (name: string) => (await admin`select count(*)::int as n from projects where name = ${name}`)[0]!.n

  await t.test('F6: one backend, in the middle of a write', async t => {
    const writing = site.get(host, '/api/faults/pair', posting('frozen'))
    const pid = await busyBackend()
    await server.freeze(pid)
    const frozen = Date.now()
    const meanwhile: number[] = []
    const silence = { over: false }
    const others = (async () => {
      for (; !silence.over; await sleep(100)) meanwhile.push((await read(neighbour)).status)
    })()
    const { status, json, body } = await writing
    const waited = Date.now() - frozen
    silence.over = true
    await others
    t.match({ status, ...json() }, { status: 503, code: 'statement_timeout' }, body)
    t.ok(waited <= limits.reply + room, `after ${waited} ms`)
    t.ok(meanwhile.length > 10, `${meanwhile.length} requests meanwhile`)
    t.same(meanwhile.filter(status => status !== 200), [], 'others are served')

    await server.thaw(pid)
    await until(async () => !(await backends()).includes(pid), 'thawed, it finds its client gone')
    t.equal(await rows('frozen'), 0, 'and undoes what it had')
    t.equal((await site.get(host, '/api/projects', posting('next'))).status, 201)
  })

  await t.test('F7: all of it', async t => {
    await server.freeze()
    const frozen = Date.now()
    const replies = await Promise.all([...Array(12).keys()].map(async n => {
      const { status, body } = await (n % 2 ? read(host) : site.get(neighbour, '/api/projects', posting(`silence ${n}`)))
      return { status, body, waited: Date.now() - frozen }
    }))
    for (const { status, body, waited } of replies) t.ok(status === 503 && waited <= limits.reply + room, `${status} after ${waited} ms: ${body}`)
    t.ok(replies.some(({ waited }) => waited < limits.acquire + room), 'who gets no connection is told so soon')
    t.equal(await readiness(site, 503), 503)

    await server.thaw()
    t.equal(await readiness(site, 200), 200, 'it comes back by itself')
    for (const at of [host, neighbour]) t.equal((await site.get(at, '/api/projects', posting('after'))).status, 201)
    await until(async () => (await backends()).length <= 4 + 2, 'no more connections are left than the two pools may have')
    t.same(await admin`select name from projects where name like 'silence%'`, [], 'nothing is kept of what was refused')
  })

  await t.test('a start waits for it, but not for ever', async t => {
    const config = loadConfig({ PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'silent' }, false)
    const start = () => startServer(config, server.database.appUrl, false)
    await server.freeze()
    const starting = start()
    await sleep(limits.acquire + 1_000)
    await server.thaw()
    await (await starting).close()

    await server.freeze()
    await t.rejects(start(), { message: 'The server of DATABASE_URL cannot be used: it does not answer.' })
    await server.thaw()
  })

  /** The backend that is in the middle of a transaction. */
  async function busyBackend (): Promise<number> {
    let pid: number | undefined
    await until(async () => {
      [{ pid } = { pid: undefined }] = await admin<{ pid: number }[]>`select pid from pg_stat_activity where application_name = 'rowhouse' and state = 'idle in transaction'`
      return pid !== undefined
    }, 'a transaction is open')
    return pid!
  }

  async function until (done: () => Promise<boolean>, what: string): Promise<void> {
    const end = Date.now() + 5_000
    while (!await done()) if (Date.now() > end) throw new Error(`Not within five seconds: ${what}`)
    t.pass(what)
  }
})
