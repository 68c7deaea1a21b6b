// What a session is worth: threats.md, D6 25-44. That another account's is worth nothing, and signing in and out, are in sign-in.test.ts.
import t from 'tap'
import { hashOf, newSecret } from '../../src/auth/secrets.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { addUser, asForm, cookieOf, fromOurPage, signInAs } from '../support/people.ts'
import { secretOf } from '../support/signed-in.ts'
import { until } from '../support/until.ts'

const [host, other] = ['tenant-0.localhost', 'tenant-1.localhost']
const pat = { email: 'pat@example.com', password: 'correct horse' }

t.test('sessions', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 2, 2)
  const [site, twin] = [await testSite(t, database), await testSite(t, database)]
  const id = await addUser(admin, 1, { ...pat, role: 'owner' })
  const session = cookieOf(await signInAs(site, host, pat))
  const secret = session.split('=')[1]!
  const opens = async (cookie: string, at = site, of = host) => (await at.get(of, '/api/subtasks', { headers: { cookie } })).status

  await t.test('cookies', async t => {
    const flipped = `${secret.slice(0, -5)}${secret.at(-5) === 'A' ? 'B' : 'A'}${secret.slice(-4)}`
    const cases: [name: string, cookie: string, status: number][] = [
      ['D6 25 none', '', 401],
      ['D6 26 empty', 'session=', 401],
      ['D6 27 over 4 KiB', `session=${'A'.repeat(5_000)}`, 401],
      ['D6 28 random', `session=${newSecret()}`, 401],
      ['D6 29 one character changed', `session=${flipped}`, 401],
      ['D6 30 another alphabet', `session=${'+'.repeat(43)}`, 401],
      ['D6 30 quoted', `session="${secret}"`, 401],
      ['D6 31 another account\'s', `session=${secretOf(other)}`, 401],
      ['D6 34 twice', `${session}; ${session}`, 400],
      ['D6 34 twice, with others', `session=${newSecret()}; a=b; ${session}`, 400],
      ['D6 35 the other name', `__Host-${session}`, 401],
      ['D6 36 __proto__', '__proto__=1; constructor=2; toString=3', 401],
      ['D6 36 escapes that are none', 'session=%zz; a=%', 401],
      ['D6 36 the name in capitals', `SESSION=${secret}`, 401],
      ['D6 36 200 others', `${Array.from({ length: 200 }, (_, i) => `c${i}=${i}`).join('; ')}; ${session}`, 200],
      ['what is there to be ignored', `__proto__=1; ${session}; a="b;c"`, 200]
    ]
    for (const [name, cookie, status] of cases) t.equal(await opens(cookie), status, name)
    t.equal(await opens(session, site, other), 401, 'D6 31 on another account\'s host')
    const raw = await site.raw(`GET /api/subtasks HTTP/1.1\r\nHost: ${host}\r\nCookie: ${session}\0\r\nConnection: close\r\n\r\n`)
    t.match(raw, /^HTTP\/1\.1 400 /, 'D6 36 NUL')
    const reply = await site.get(host, '/api/subtasks', { headers: { cookie: `${session}; ${session}` } })
    t.match(reply.json(), { code: 'cookie_repeated' })
    t.match((await site.get(host, '/api/subtasks', { headers: { authorization: `Bearer rowhouse_${secret}` } })).status, 401, 'a session is no API token')
  })

  await t.test('over TLS, and on any host but the loopback\'s, it has the name that no sibling can set', async t => {
    const behind = await testSite(t, database, { TRUST_PROXY: '127.0.0.1' })
    const tls = { 'x-forwarded-proto': 'https' }
    const set = await signInAs(behind, host, pat, tls)
    t.match(set.headers['set-cookie'], [/^__Host-session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/])
    const cookie = cookieOf(set)
    const status = async (cookie: string) => (await behind.get(host, '/api/subtasks', { headers: { cookie, ...tls } })).status
    t.same([await status(cookie), await status(cookie.replace('__Host-', ''))], [200, 401], 'D6 35')
  })

  await t.test('what changes anything comes from a page of this very host', async t => {
    const { payload, type } = asForm(pat)
    const ask = (headers: Record<string, string>, path = '/sign-in', at = `${host}:3000`) =>
      site.get(at, path, { method: 'POST', headers: { 'content-type': type, cookie: '', ...headers }, payload: path === '/sign-in' ? payload : '' })
    const cases: [name: string, headers: Record<string, string>, status: number][] = [
      ['D6 37 no word of where from', {}, 403],
      ['D6 38 Origin: null', { origin: 'null' }, 403],
      ['D6 39 a sibling', { origin: `http://${other}:3000` }, 403],
      ['D6 40 https for http', { origin: `https://${host}:3000` }, 403],
      ['D6 41 another port', { origin: `http://${host}:3001` }, 403],
      ['D6 41 no port', { origin: `http://${host}` }, 403],
      ['D6 42 same-site', { 'sec-fetch-site': 'same-site' }, 403],
      ['D6 42 same-site, whatever the Origin', { 'sec-fetch-site': 'same-site', origin: `http://${host}:3000` }, 403],
      ['D6 43 cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
      ['D6 43 none', { 'sec-fetch-site': 'none' }, 403],
      ['our own, an old browser', { origin: `http://${host}:3000` }, 303],
      ['our own', fromOurPage, 303]
    ]
    for (const [name, headers, status] of cases) {
      await admin`delete from sign_in_attempts`
      const signingIn = await ask(headers)
      t.same([signingIn.status, signingIn.headers['set-cookie'] !== undefined], [status, status === 303], `${name}: signing in`)
      t.equal((await ask({ ...headers, cookie: session }, '/sign-out')).status, status, `${name}: signing out`)
      t.equal(await opens(session), status === 303 ? 401 : 200)
      await admin`insert into sessions (account_id, id, user_id, token_hash, expires_at, address, user_agent)
        values (1, gen_random_uuid(), ${id}, ${hashOf(secret)}, now() + interval '1 day', '', '') on conflict do nothing`
    }
    t.same(await admin`select 1 from idempotency_keys`, [])
    const get = await site.get(host, '/sign-out?_method=POST', { headers: { cookie: session } })
    t.same([get.status, get.headers.allow], [405, 'POST, OPTIONS'], 'D6 44')
    t.equal(await opens(session), 200, 'D6 44 a GET changes nothing')
    for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded; charset=latin1', 'application/x-www-form-urlencodedx']) {
      t.equal((await ask({ ...fromOurPage, 'content-type': type })).status, 415, `D6 44 ${type}`)
    }
  })

  await t.test('forms that are none', async t => {
    await admin`delete from sign_in_attempts`
    const ask = async (payload: string) =>
      (await site.get(host, '/sign-in', { method: 'POST', headers: { ...fromOurPage, cookie: '', 'content-type': 'application/x-www-form-urlencoded' }, payload })).status
    const good = asForm(pat).payload
    for (const bad of [
      '', 'email=a%40b', `${good}&email=x%40y`, `${good}&password=`, `${good}&account_id=2`, `${good}&__proto__=1`, 'email[]=a&password=b',
      'email=%ff&password=b', 'email=a%40b&password=%zz', 'email=a%40b&password=%', 'email=a%40b&password=%ed%a0%80', 'email=a%40b%00&password=b'
    ]) t.equal(await ask(bad), 400, bad)
    t.equal(await ask(`${good}&${'x'.repeat(65_536)}`), 413, 'D6 95')
    t.equal(await ask(`&${good}&`), 303)
  })

  await t.test('it ends by time, unused or not, and is over on every server at once', async t => {
    const row = hashOf(secret)
    const both = async () => [await opens(session), await opens(session, twin)]
    t.same(await both(), [200, 200])
    const change = async (set: ReturnType<typeof admin>) => { await admin`update sessions set ${set} where token_hash = ${row}` }
    await change(admin`expires_at = now() - interval '1 second'`)
    t.same(await both(), [401, 401], 'D6 32 expired')
    await change(admin`expires_at = now() + interval '1 day', seen_at = now() - interval '7 days 1 minute'`)
    t.same(await both(), [401, 401], 'D6 32 not used for a week')
    await change(admin`seen_at = now() - interval '6 days 23 hours'`)
    t.same(await both(), [200, 200])
    await admin`delete from sessions where token_hash = ${row}`
    t.same(await both(), [401, 401], 'revoked')
  })

  await t.test('that it is used is noted once in an hour', async t => {
    const cookie = cookieOf(await signInAs(site, host, pat))
    const row = hashOf(cookie.split('=')[1]!)
    const seen = async () => (await admin`select seen_at from sessions where token_hash = ${row}`)[0]!.seen_at as Date
    const setBack = (minutes: number) => admin`update sessions set seen_at = now() - ${minutes} * interval '1 minute' where token_hash = ${row}`
    await setBack(50)
    const before = await seen()
    t.equal(await opens(cookie), 200)
    await setBack(70)
    t.equal(await opens(cookie, twin), 200)
    t.ok(await until(async () => Date.now() - (await seen()).getTime() < 60_000))
    t.ok(await seen() > before)

    const token = newSecret()
    await admin`insert into api_tokens (account_id, id, user_id, name, token_hash, scope, expires_at)
      values (1, gen_random_uuid(), ${id}, 'a program', ${hashOf(token)}, 'read', now() + interval '1 day')`
    t.equal((await site.get(host, '/api/subtasks', { headers: { authorization: `Bearer rowhouse_${token}` } })).status, 200)
    t.ok(await until(async () => (await admin`select 1 from api_tokens where used_at > now() - interval '1 minute'`).length === 1))
  })

  await t.test('a suspended account lets nobody in, nor sign in, within five seconds', async t => {
    const cookie = cookieOf(await signInAs(site, host, pat))
    t.equal(await opens(cookie), 200)
    await admin`update accounts set status = 'suspended' where account_id = 1`
    t.ok(await until(async () => await opens(cookie) === 403, 7_000), 'within five seconds')
    t.equal((await signInAs(site, host, pat)).status, 403)
  })
  t.same([...site.errors, ...twin.errors], [])
})
