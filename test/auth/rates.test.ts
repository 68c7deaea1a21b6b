// How many requests a session and an account may make in a minute, over two servers on one database.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { type Site, testSite } from '../support/http.ts'
import { addUser, cookieOf, signInAs } from '../support/people.ts'
import { until } from '../support/until.ts'

const [host, other] = ['tenant-0.localhost', 'tenant-1.localhost']

/** So that the minute does not turn in the middle of what is counted. */
const earlyInTheMinute = () => sleep(Date.now() % 60_000 > 40_000 ? 60_500 - Date.now() % 60_000 : 0)

const database = await testDatabase(t)
await furnish(t, database, 3, 3)

async function two (t: Test, environment: Record<string, string>) {
  const [site, twin] = [await testSite(t, database, environment), await testSite(t, database, environment)]
  await earlyInTheMinute()
  return { site, twin, browser: (email: string) => browserOf(site, email) }
}

async function browserOf (site: Site, email: string) {
  const person = { email, password: 'correct horse' }
  await addUser(database.admin, 1, person)
  return { cookie: cookieOf(await signInAs(site, host, person)) }
}

/** How many were served of so many that were asked one after the other. */
async function served (site: Site, n: number, headers: Record<string, string>, at = host): Promise<number> {
  let ok = 0
  for (let i = 0; i < n; i++) if ((await site.get(at, '/api/subtasks?limit=1', { headers })).status === 200) ok++
  return ok
}

t.test('a session', async t => {
  const { site, twin, browser } = await two(t, { RATE_LIMIT_SESSION: '40' })
  const [pat, sam] = [await browser('pat@example.com'), await browser('sam@example.com')]

  t.equal(await served(site, 3, sam), 3)
  t.same(await database.admin`select * from rate_counts`, [], 'who is not busy costs nothing')

  t.equal(await served(site, 25, pat), 25)
  t.ok(await until(async () => (await database.admin`select 1 from rate_counts where account_id = 1 and count = 25`).length === 1))
  t.equal(await served(twin, 10, pat), 10)
  t.ok(await until(async () => (await database.admin`select 1 from rate_counts where account_id = 1 and count = 35`).length === 1))
  t.equal(await served(twin, 10, pat), 5, 'forty over both')
  t.ok(await until(async () => await served(site, 1, pat) === 0))

  const { status, headers, ...reply } = await site.get(host, '/api/subtasks', { headers: pat })
  t.equal(status, 429)
  t.match(reply.json(), { status: 429, code: 'too_many_requests' })
  const seconds = Number(headers['retry-after'])
  t.ok(seconds > 0 && seconds <= 60)
  t.equal(headers['ratelimit-policy'], '"session";q=40;w=60')
  t.equal(headers.ratelimit, `"session";r=0;t=${seconds}`)
  const page = await twin.get(host, '/subtasks/', { headers: pat })
  t.match([page.status, page.body], [429, '<h1>One moment, please</h1>'])

  t.equal(await served(site, 5, sam), 5, 'another session goes on')
  t.equal(await served(site, 50, { cookie: `session=${'A'.repeat(43)}` }), 0)
  t.match((await site.get(host, '/api/subtasks', { headers: { cookie: `session=${'A'.repeat(43)}` } })).status, 401, 'what is no session is not counted')
})

t.test('an account', async t => {
  const { site, twin, browser } = await two(t, { RATE_LIMIT_ACCOUNT: '30' })
  const browsers = [await browser('kim@example.com'), await browser('ann@example.com'), await browser('bob@example.com')]
  t.equal(await served(site, 50, { cookie: `session=${'A'.repeat(43)}` }), 0, 'strangers do not use up what it may')
  for (const headers of browsers) t.equal(await served(site, 10, headers), 10)
  const { status, headers } = await site.get(host, '/api/subtasks', { headers: browsers[0]! })
  t.match([status, headers['ratelimit-policy']], [429, '"account";q=30;w=60'])
  t.ok(await until(async () => await served(twin, 1, browsers[0]!) === 0))
  t.equal((await site.get(other, '/api/subtasks')).status, 200, 'its neighbour goes on')
  t.equal((await site.get(host, '/sign-in', { headers: { cookie: '' } })).status, 200)
})

t.test('none', async t => {
  const site = await testSite(t, database)
  t.equal(await served(site, 20, await browserOf(site, 'eve@example.com')), 20)
})
