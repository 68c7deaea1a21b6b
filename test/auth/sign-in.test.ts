// Signing in and out, by real HTTP: threats.md, D6 93-102, and what a session is worth before and after.
import { availableParallelism } from 'node:os'
import t from 'tap'
import { hash } from '@node-rs/argon2'
import { hashesAtOnce, hashing } from '../../src/auth/passwords.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { type Site, testSite } from '../support/http.ts'
import { addUser, cookieOf, post, signInAs } from '../support/people.ts'
import { watchSecondWall } from '../support/second-wall.ts'
import { until } from '../support/until.ts'

const [host, other] = ['tenant-0.localhost', 'tenant-1.localhost']
const pat = { email: 'pat@example.com', password: ' correct horse 🐴 ' }

/** How many hashes were made since it was last asked. */
function countHashes (): () => number {
  let n = 0
  hashing.start.subscribe(() => { n++ })
  return () => {
    const counted = n
    n = 0
    return counted
  }
}

t.test('signing in and out', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 3, 3)
  const site = await testSite(t, { ...database, appUrl: watchSecondWall(t, database).url })
  const id = await addUser(admin, 1, pat)
  const sessions = () => admin`select user_id from sessions where account_id = 1 and user_id = ${id}`
  const opens = async (cookie: string, at = host) => (await site.get(at, '/subtasks/', { headers: { cookie } })).status
  const forget = () => admin`delete from sign_in_attempts`
  const hashes = countHashes()

  await t.test('whoever is not signed in is led to the form, and from there to where they wanted', async t => {
    const lost = await site.get(host, '/subtasks/2/', { headers: { cookie: '' } })
    t.same([lost.status, lost.headers.location], [303, '/sign-in?next=%2Fsubtasks%2F2%2F'])
    const page = await site.get(host, lost.headers.location!, { headers: { cookie: '' } })
    t.equal(page.status, 200)
    t.match(page.headers['cache-control'], /no-store/)
    t.match(page.body, '<input type="hidden" name="next" value="/subtasks/2/">')
    t.match(page.body, /<input id="email" name="email" type="email" value="" autocomplete="username"/)
    t.match(page.body, /<label for="password">.*\n<input id="password" name="password" type="password" autocomplete="current-password"/)
    t.notMatch(page.body, '<nav', 'there is nowhere else to go')
    const { status, headers } = await post(site, host, '/sign-in', { ...pat, next: '/subtasks/2/' })
    t.same([status, headers.location], [303, '/subtasks/2/'])
  })

  await t.test('the cookie is the browser\'s alone', async t => {
    const plain = await signInAs(site, host, pat)
    t.match(plain.headers['set-cookie'], [/^session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/])
    t.equal(await opens(cookieOf(plain)), 200)
    t.equal(await opens(cookieOf(plain), other), 303, 'D6 31 nothing on another account\'s host')
    const again = await site.get(host, '/sign-in?next=/subtasks/2/', { headers: { cookie: cookieOf(plain) } })
    t.same([again.status, again.headers.location], [303, '/subtasks/2/'], 'who is signed in need not do it again')
  })

  await t.test('a new session each time, and the browser\'s last one is over', async t => {
    const first = cookieOf(await signInAs(site, host, pat))
    const before = (await sessions()).length
    const second = cookieOf(await signInAs(site, host, pat, { cookie: first }))
    t.not(second, first)
    t.same([await opens(first), await opens(second)], [303, 200])
    t.equal((await sessions()).length, before)
    const planted = `session=${'A'.repeat(43)}`
    t.not(cookieOf(await signInAs(site, host, pat, { cookie: planted })), planted, 'not the one that somebody has planted')
    t.equal(await opens(planted), 303)
  })

  await t.test('signing out ends the session, for whoever has the cookie', async t => {
    const cookie = cookieOf(await signInAs(site, host, pat))
    const out = await post(site, host, '/sign-out', {}, { cookie })
    t.same([out.status, out.headers.location], [303, '/sign-in'])
    t.match(out.headers['set-cookie'], [/^session=; Max-Age=0; /])
    t.equal(await opens(cookie), 303, 'D6 33')
    t.equal((await post(site, host, '/sign-out', {}, { cookie })).headers.location, '/sign-in', 'twice does no harm')
    const log = await admin`select action, actor, entity from audit_log where account_id = 1 order by id desc limit 2`
    t.same(log, [{ action: 'sign-out', actor: pat.email, entity: 'sessions' }, { action: 'sign-in', actor: pat.email, entity: 'users' }])
  })

  await t.test('only to a path of our own', async t => {
    const away = ['//evil.test', '/\\evil.test', '\\/evil.test', 'https://evil.test', 'javascript:alert(1)', '/\t/evil.test', '/a\\b', '/\r\nx: y', 'evil.test', '/ä', '']
    for (const next of away) {
      await forget()
      const { status, headers } = await post(site, host, '/sign-in', { ...pat, next })
      t.same([status, headers.location], [303, '/'], JSON.stringify(next))
    }
  })

  await t.test('the same answer to all who may not, after exactly one hash', async t => {
    await addUser(admin, 1, { email: 'gone@example.com', password: 'correct horse', isActive: false })
    await addUser(admin, 2, { email: 'theirs@example.com', password: 'correct horse' })
    await addUser(admin, 1, { email: 'broken@example.com', password: '', passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$broken' })
    const cases: [name: string, email: string, password: string][] = [
      ['D6 93 unknown', 'nobody@example.com', 'correct horse'],
      ['D6 94 wrong password', pat.email, pat.password.trim()],
      ['D6 95 a password of 200 characters', pat.email, 'x'.repeat(200)],
      ['D6 95 as many bytes as a body may have', pat.email, 'x'.repeat(60_000)],
      ['D6 98 an address that is nobody\'s, plus and all', 'pat+tag@example.com', pat.password],
      ['D6 98 unicode', 'ραt@example.com', pat.password],
      ['D6 99 another account\'s user', 'theirs@example.com', 'correct horse'],
      ['inactive', 'gone@example.com', 'correct horse'],
      ['D6 102 a broken hash', 'broken@example.com', 'correct horse'],
      ['D6 102 no hash at all', 'owner@example.com', 'none']
    ]
    const answers = new Set<string>()
    for (const [name, email, password] of cases) {
      await forget()
      hashes()
      const { status, headers, body } = await signInAs(site, host, { email, password })
      const { date, 'content-length': length, ...others } = headers
      answers.add(JSON.stringify([status, others, body.replace(email, '')]))
      t.equal(status, 401, name)
      t.notOk(headers['set-cookie'], name)
      t.notOk(body.includes(password), `${name}: no password in the page`)
      t.equal(hashes(), 1, `${name}: one hash`)
    }
    t.equal(answers.size, 1)
    t.match([...answers][0], 'No active user of this account has this e-mail address and this password.')
    t.match([...answers][0], 'role=\\"alert\\"')
    await forget()
    hashes()
    t.equal((await signInAs(site, host, { ...pat, email: ' PAT@Example.com ' })).status, 303, 'D6 98 upper case is the same address')
    t.equal(hashes(), 1, 'and no more for who may')
    t.same(site.errors, [])
  })

  await t.test('what is no e-mail address or no password is said beside the field, and nothing is hashed', async t => {
    await forget()
    hashes()
    for (const email of ['', 'pat', '@', 'a@b\r\nBcc: c@d', `${'x'.repeat(400)}@example.com`, 'a b@c', 'a@b\u202e']) {
      const { status, body } = await signInAs(site, host, { ...pat, email })
      t.equal(status, 400, JSON.stringify(email))
      t.match(body, /<input id="email"[^>]* aria-invalid="true" aria-describedby="problem"/)
    }
    const { status, body } = await signInAs(site, host, { ...pat, password: '' })
    t.equal(status, 400, 'D6 96')
    t.match(body, /<input id="password"[^>]* aria-invalid="true" aria-describedby="problem"/)
    t.match(body, `value="${pat.email}"`, 'the address need not be given again')
    const nasty = await signInAs(site, host, { email: '"><script>alert(1)</script>@x', password: 'x' })
    t.notMatch(nasty.body, '<script>')
    t.equal((await signInAs(site, host, { ...pat, password: 'a\0b' })).status, 400, 'D6 97 NUL')
    t.same(hashes(), 1, 'only of the one who looked like an address')
  })

  await t.test('a hash in other parameters is renewed', async t => {
    const old = await hash('an old password', { memoryCost: 8192, timeCost: 1 })
    const id = await addUser(admin, 1, { email: 'old@example.com', password: '', passwordHash: old })
    const now = async () => (await admin`select password_hash as hash from users where id = ${id}`)[0]!.hash as string
    t.equal((await signInAs(site, host, { email: 'old@example.com', password: 'not that one' })).status, 401)
    t.equal(await now(), old)
    t.equal((await signInAs(site, host, { email: 'old@example.com', password: 'an old password' })).status, 303)
    t.match(await now(), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    t.equal((await signInAs(site, host, { email: 'old@example.com', password: 'an old password' })).status, 303)
  })

  await t.test('an Idempotency-Key is not for passwords: nothing of the form is kept', async t => {
    const { status } = await signInAs(site, host, pat, { 'idempotency-key': 'once' })
    t.equal(status, 303)
    t.same(await admin`select * from idempotency_keys`, [])
  })

  await t.test('a user who is made inactive is out at once, and one who is deleted', async t => {
    const [first, second] = [cookieOf(await signInAs(site, host, pat)), cookieOf(await signInAs(site, host, pat))]
    await admin`update users set is_active = false where id = ${id}`
    t.same([await opens(first), await opens(second)], [303, 303])
    await admin`update users set is_active = true where id = ${id}`
    t.equal(await opens(first), 200)
    await admin`delete from users where id = ${id}`
    t.equal(await opens(first), 303)
  })
})

t.test('old attempts are removed, in passing', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 1, 1)
  const site = await testSite(t, database)
  for (const account of [1, 2]) {
    for (const minutes of [14, 16]) {
      await admin`insert into sign_in_attempts values (${account}, gen_random_uuid(), ${`${minutes}@example.com`}, '192.0.2.1', now() - ${minutes} * interval '1 minute')`
    }
  }
  await signInAs(site, host, pat)
  const left = async () => (await admin`select account_id::int, email from sign_in_attempts order by account_id, email`).map(row => [row.account_id, row.email])
  t.ok(await until(async () => (await left()).length === 4))
  t.same(await left(), [[1, '14@example.com'], [1, pat.email], [2, '14@example.com'], [2, '16@example.com']])
})

t.test('attempts are counted', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 1, 1)
  const [site, twin] = [await testSite(t, database, { TRUST_PROXY: '127.0.0.1' }), await testSite(t, database)]
  await addUser(admin, 1, pat)
  const hashes = countHashes()
  const wrong = (email: string, at: Site = site, headers = {}) => signInAs(at, host, { email, password: 'not that one' }, headers)

  await t.test('D6 100 the eleventh with an address waits, on whatever server, whoever asks, and is not hashed', async t => {
    for (let i = 0; i < 10; i++) t.equal((await wrong(pat.email, i % 2 ? site : twin, { 'x-forwarded-for': `192.0.2.${i}` })).status, 401, `attempt ${i + 1}`)
    hashes()
    for (const at of [site, twin]) {
      const { status, headers, body } = await signInAs(at, host, pat)
      t.equal(status, 429)
      t.ok(Number(headers['retry-after']) > 14 * 60 && Number(headers['retry-after']) <= 15 * 60, `${headers['retry-after']} s`)
      t.match(body, 'Too many passwords have been tried.')
      t.match(body, '<form method="post" action="/sign-in">')
    }
    t.equal(hashes(), 0)
    t.equal((await signInAs(site, 'tenant-1.localhost', pat)).status, 401, 'another account counts for itself')
    await admin`update sign_in_attempts set at = at - interval '15 minutes'`
    t.equal((await signInAs(site, host, pat)).status, 303, 'a quarter of an hour later')
  })

  await t.test('success forgets what failed before it', async t => {
    await admin`delete from sign_in_attempts`
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 6; i++) t.equal((await wrong(pat.email)).status, 401)
      t.equal((await signInAs(site, host, pat)).status, 303)
    }
  })

  await t.test('of many at once no more are hashed than one after the other', async t => {
    await admin`delete from sign_in_attempts`
    hashes()
    const replies = await Promise.all(Array.from({ length: 24 }, (_, i) => wrong(pat.email, i % 2 ? site : twin)))
    t.same([...new Set(replies.map(reply => reply.status))].toSorted(), replies.some(({ status }) => status === 401) ? [401, 429] : [429])
    t.ok(hashes() <= 10)
  })

  await t.test('the thirty-first from a network waits, whatever it calls itself', async t => {
    /** Notes the last attempt so many times more, each with an address of its own: thirty hashes are a second. */
    const repeat = (times: number) => admin`
      insert into sign_in_attempts
      select account_id, gen_random_uuid(), 'more-' || n || '@example.com', address, at from (select * from sign_in_attempts order by at desc limit 1) last, generate_series(1, ${times}) n`
    await admin`delete from sign_in_attempts`
    for (let i = 0; i < 2; i++) t.equal((await wrong(`nobody-${i}@example.com`, twin, { 'x-forwarded-for': `192.0.2.${i}` })).status, 401)
    await repeat(27)
    t.equal((await wrong('nobody-30@example.com', twin, { 'x-forwarded-for': '192.0.2.30' })).status, 401, 'D6 101')
    t.equal((await wrong('nobody@example.com', twin, { 'x-forwarded-for': '192.0.2.99' })).status, 429, 'D6 101 nobody believes it')
    const from = (address: string, i: number) => wrong(`nobody-${i}@example.com`, site, { 'x-forwarded-for': address })
    t.equal((await from('192.0.2.1', 31)).status, 401, 'a proxy of ours is believed')
    await admin`delete from sign_in_attempts`
    for (let i = 0; i < 2; i++) t.equal((await from(`2001:db8:1:2::${i + 1}`, i)).status, 401)
    await repeat(27)
    t.equal((await from('2001:db8:1:2::30', 29)).status, 401)
    t.equal((await from('2001:db8:1:2:ffff:ffff:ffff:ffff', 30)).status, 429, 'of IPv6 a /64 is one')
    t.equal((await from('2001:db8:1:3::1', 31)).status, 401, 'the next is another')
  })
})

t.test('two hashes at once, of all processes together, or one where there is no core to spare', t => {
  const cores = [[1, 1], [2, 1], [3, 1], [64, 1], [64, 2], [2, 2], [64, 64]] as const
  t.same(cores.map(([cores, processes]) => hashesAtOnce(cores, processes)), [1, 1, 2, 2, 1, 1, 1])
  t.end()
})

t.test('no more hashes at once than that, and those who would wait too long are told so before', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1)
  const site = await testSite(t, database, { TRUST_PROXY: '127.0.0.1', POOL_MAX: '8' })
  let [running, most] = [0, 0]
  hashing.start.subscribe(() => { most = Math.max(most, ++running) })
  hashing.asyncEnd.subscribe(() => { running-- })
  const replies = await Promise.all(Array.from({ length: 90 }, (_, i) =>
    signInAs(site, 'tenant-0.localhost', { email: `nobody-${i}@example.com`, password: 'whatever it is' }, { 'x-forwarded-for': `192.0.2.${i}` })))
  t.equal(most, hashesAtOnce(availableParallelism(), 1))
  const statuses = new Set(replies.map(({ status }) => status))
  t.same([...statuses].toSorted(), [401, 429])
  const refused = replies.find(({ status }) => status === 429)!
  t.equal(refused.headers['retry-after'], '2')
  t.match(refused.body, 'Too many requests. Wait a moment, then go on.')
  t.equal(running, 0)
})
