// What somebody does about themselves: name, password, sessions.
import t from 'tap'
import { hashing } from '../../src/auth/passwords.ts'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { addMember, addSession, answer, asking } from '../support/members.ts'
import { post, signInAs } from '../support/people.ts'
import { collectRoutes } from '../support/routes.ts'

const host = 'tenant-0.localhost'

t.test('my account', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 0, 0)
  const routes = collectRoutes(t)
  const site = await testSite(t, database)

  await t.test('whoever asks is told who they are', async t => {
    const viewer = await addMember(admin, 'viewer')
    const reply = await asking(site, viewer)('GET', '/me')
    t.match(reply.json(), { id: viewer.id, email: viewer.email, role: 'viewer', isActive: true, version: 1 })
    t.equal((await asking(site, viewer)('GET', '/me', undefined, { 'if-none-match': reply.headers.etag! })).status, 304)
    t.same(answer(await asking(site, { cookie: '' })('GET', '/me')), [401, 'unauthenticated'])
  })

  await t.test('they change their name, and nothing that others decide', async t => {
    const viewer = await addMember(admin, 'viewer')
    const asViewer = asking(site, viewer)
    t.match((await asViewer('PATCH', '/me', { firstName: 'Zoë' }, { 'if-match': '"1"' })).json(), { firstName: 'Zoë', lastName: 'Person', version: 2 })
    t.same(answer(await asViewer('PATCH', '/me', { firstName: 'Zoë' }, { 'if-match': '"1"' })), [412, 'precondition_failed'])
    for (const body of [{ role: 'owner' }, { isActive: true }, { email: 'x@example.com' }, { id: viewer.id }, { account_id: 2 }, { passwordHash: 'x' }, {}, { firstName: '\t' }]) {
      t.same(answer(await asViewer('PATCH', '/me', body)), [400, 'bad_request'], JSON.stringify(body))
    }
  })

  await t.test('a new password takes the old one, and ends all sessions but the one that asks, which gets another cookie', async t => {
    const password = 'correct mule 🐴'
    const member = await addMember(admin, 'viewer', { password })
    const elsewhere = await addSession(admin, member.id)
    const asMember = asking(site, member)
    t.same(answer(await asMember('PUT', '/me/password', { current: 'wrong mule', password: 'another mule 🐴' })), [403, 'password_wrong'])
    t.same(answer(await asMember('PUT', '/me/password', { current: password, password: 'password1' })), [400, 'weak_password'])
    t.same(answer(await asMember('PUT', '/me/password', { current: password, password: 'short' })), [400, 'weak_password'])
    t.same(answer(await asMember('PUT', '/me/password', { current: password, password: 'nul \0 in it' })), [400, 'bad_request'])
    t.equal((await asking(site, { cookie: elsewhere })('GET', '/me')).status, 200, 'until here nothing has happened')
    const { token } = (await asMember('POST', '/tokens', { name: 'one', scope: 'read' })).json()

    const reply = await asMember('PUT', '/me/password', { current: password, password: 'another mule 🐴' })
    t.same([reply.status, reply.body], [204, ''])
    const cookie = reply.headers['set-cookie']![0]!.split(';')[0]!
    for (const gone of [member.cookie, elsewhere]) t.same(answer(await asking(site, { cookie: gone })('GET', '/me')), [401, 'unauthenticated'])
    t.equal((await asking(site, { cookie })('GET', '/me')).status, 200)
    t.equal((await asking(site, token)('GET', '/me')).status, 200, 'tokens stay')
    t.equal((await signInAs(site, host, { email: member.email, password })).status, 401)
    t.equal((await signInAs(site, host, { email: member.email, password: 'another mule 🐴' })).status, 303)

    const log = await admin`select action, before::text || after::text as text from audit_log where entity_id = ${member.id} order by id`
    t.same(log.map(({ action }) => action).slice(0, 2), ['change-password', 'end-sessions'])
    t.notMatch(JSON.stringify(log), /argon2|mule/)
  })

  await t.test('nobody holds a connection while a password is hashed, and nobody has one hashed without being let in', async t => {
    const password = 'correct mule 🐴'
    const member = await addMember(admin, 'member', { password })
    const held: number[] = []
    let lent = 0
    const { acquire, release } = SlotPool.prototype
    t.teardown(() => Object.assign(SlotPool.prototype, { acquire, release }))
    SlotPool.prototype.acquire = async function (holder) { lent++; return acquire.call(this, holder) }
    SlotPool.prototype.release = function (slot) { lent--; return release.call(this, slot) }
    let before = 0
    const listen = { // at its end, too: a read's COMMIT may be answered a moment after the hash has begun
      start: () => { before = lent },
      asyncEnd: () => { held.push(Math.min(before, lent)) }
    }
    hashing.subscribe(listen as never)
    t.teardown(() => { hashing.unsubscribe(listen as never) })
    t.equal((await asking(site, member)('PUT', '/me/password', { current: password, password: 'another mule 🐴' })).status, 204)
    t.same(held.splice(0), [0, 0], 'one to look at the old one, one for the new one')
    t.same(answer(await asking(site, { cookie: '' })('PUT', '/me/password', { current: 'x', password: 'another mule 🐴' })), [401, 'unauthenticated'])
    t.same(answer(await asking(site, member)('PUT', '/me/password', { current: 'x', password: 'another mule 🐴' })), [401, 'unauthenticated'])
    t.same(held, [])
  })

  await t.test('wrong passwords are counted with those at sign-in, by the API and on the page, and are not hashed when there were too many', async t => {
    const password = 'correct mule 🐴'
    const member = await addMember(admin, 'member', { password })
    await admin`delete from sign_in_attempts`
    const byApi = (current: string) => asking(site, member)('PUT', '/me/password', { current, password: 'another mule 🐴' })
    const byPage = (current: string) => post(site, host, '/me/password', { current, password: 'another mule 🐴' }, { cookie: member.cookie })
    for (let i = 0; i < 4; i++) t.same(answer(await byApi('wrong mule')), [403, 'password_wrong'])
    for (let i = 0; i < 3; i++) t.match(await byPage('wrong mule'), { status: 403, body: 'This is not your password until now.' })
    for (let i = 0; i < 3; i++) t.equal((await signInAs(site, host, { email: member.email, password: 'wrong mule' })).status, 401)
    let hashes = 0
    const listen = () => { hashes++ }
    hashing.start.subscribe(listen)
    t.teardown(() => { hashing.start.unsubscribe(listen) })
    const [api, page] = [await byApi(password), await byPage(password)]
    t.same(answer(api), [429, 'too_many_attempts'])
    t.match(page, { status: 429, body: 'Too many passwords have been tried. Try again later.' })
    for (const { headers } of [api, page]) t.ok(Number(headers['retry-after']) > 14 * 60, `${headers['retry-after']} s`)
    t.equal((await signInAs(site, host, { email: member.email, password })).status, 429)
    t.equal(hashes, 0)
    await admin`update sign_in_attempts set at = at - interval '15 minutes'`
    t.same(answer(await byApi('wrong mule')), [403, 'password_wrong'])
    t.equal((await byApi(password)).status, 204)
    t.same(await admin`select at from sign_in_attempts where email = ${member.email}`, [], 'and are forgotten when it is right')
  })

  await t.test('an Idempotency-Key is not for passwords, on whatever route: no trace of one is kept', async t => {
    const password = 'correct mule 🐴'
    const member = await addMember(admin, 'member', { password })
    const fields = { current: password, password: 'another mule 🐴' }
    t.equal((await post(site, host, '/me/password', fields, { cookie: member.cookie, 'idempotency-key': 'once' })).status, 303)
    t.same(await admin`select key from idempotency_keys`, [])
    const takes = routes().filter(({ tenanted, schema }) => tenanted && Object.keys((schema.body as { properties?: object } | undefined)?.properties ?? {}).includes('password'))
    t.ok(takes.length >= 4)
    for (const { method, url, open, admitFirst } of takes) t.ok(open || admitFirst, `${method} ${url}`)
  })

  await t.test('of two new passwords at once, one is kept', async t => {
    const password = 'correct mule 🐴'
    const member = await addMember(admin, 'member', { password })
    const cookie = await addSession(admin, member.id)
    const replies = await Promise.all([member.cookie, cookie].map((cookie, i) =>
      asking(site, { cookie })('PUT', '/me/password', { current: password, password: `another mule ${i}` })))
    t.equal(replies.filter(({ status }) => status === 204).length, 1)
    t.same(replies.filter(({ status }) => status !== 204).map(answer), [[412, 'precondition_failed']])
    t.equal((await admin`select from sessions where user_id = ${member.id}`).length, 1)
  })

  await t.test('sessions are listed and ended, each user\'s own', async t => {
    const [member, other] = [await addMember(admin), await addMember(admin, 'owner')]
    const asMember = asking(site, member)
    for (let n = 0; n < 3; n++) await addSession(admin, member.id)
    const list = await asMember('GET', '/me/sessions')
    const { sessions } = list.json()
    t.equal(sessions.length, 4)
    t.same(sessions.map((session: object) => Object.keys(session).sort().join())[0], 'address,createdAt,expiresAt,id,isThis,seenAt,userAgent')
    t.equal(sessions.filter((session: { isThis: boolean }) => session.isThis).length, 1)
    t.notMatch(list.body, member.cookie.slice(8))
    const [first, second] = sessions.filter((session: { isThis: boolean }) => !session.isThis)
    t.same(answer(await asking(site, other)('DELETE', `/me/sessions/${first.id}`)), [404, 'not_found'])
    t.equal((await asMember('DELETE', `/me/sessions/${first.id}`)).status, 204)
    t.same(answer(await asMember('DELETE', `/me/sessions/${first.id}`)), [404, 'not_found'])
    t.same((await asMember('GET', '/me/sessions?limit=1')).json().sessions.length, 1)
    t.equal((await asMember('DELETE', '/me/sessions')).status, 204)
    t.same((await asMember('GET', '/me/sessions')).json().sessions.map((session: { isThis: boolean }) => session.isThis), [true])
    t.equal((await asking(site, other)('GET', '/me')).status, 200, 'others stay signed in')
    t.same(answer(await asMember('DELETE', `/me/sessions/${second.id}`)), [404, 'not_found'])
    const mine = (await asMember('GET', '/me/sessions')).json().sessions[0].id
    const last = await asMember('DELETE', `/me/sessions/${mine}`)
    t.equal(last.status, 204)
    t.match(last.headers['set-cookie'], [/^session=; Max-Age=0/])
    t.same(answer(await asMember('GET', '/me')), [401, 'unauthenticated'])
  })
})
