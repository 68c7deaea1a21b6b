// Users over the API: who may change whom, what a change ends, and that an owner is always left, whoever asks at the same time.
import t from 'tap'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { addMember, addSession, answer, asking } from '../support/members.ts'

t.test('users', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 0, 0)
  const site = await testSite(t, database)
  await admin`delete from users where account_id = 1`
  const owner = await addMember(admin, 'owner')
  const asOwner = asking(site, owner)
  const rowOf = async (id: string) => (await admin`select role, is_active, email, version from users where account_id = 1 and id = ${id}`)[0]
  const sessionsOf = async (id: string) => (await admin`select from sessions where user_id = ${id}`).length
  const actionsOn = async (id: string) => (await admin`select action from audit_log where entity_id = ${id} order by id`).map(row => row.action)

  await t.test('are listed by e-mail address, in pages, without anything secret', async t => {
    const [first, second] = [await addMember(admin, 'member'), await addMember(admin, 'viewer')]
    const page = (await asOwner('GET', '/users?limit=2')).json()
    t.equal(page.users.length, 2)
    const rest = (await asOwner('GET', `/users?limit=2&cursor=${page.next}`)).json()
    t.equal(rest.next, null)
    t.same([...page.users, ...rest.users].map(user => user.email), [first.email, owner.email, second.email].sort())
    t.same(Object.keys(page.users[0]).sort(), ['dateJoined', 'email', 'firstName', 'id', 'isActive', 'lastName', 'role', 'version'])
    t.match(page.users[0].dateJoined, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    t.same(answer(await asOwner('GET', `/users?limit=2&cursor=${page.next.slice(0, -2)}AA`)), [400, 'cursor_invalid'])
    const elsewhere = await addMember(admin, 'owner', { account: 2 })
    t.same(answer(await asking(site, elsewhere, 'tenant-1.localhost')('GET', `/users?cursor=${page.next}`)), [400, 'cursor_invalid'])
    t.same(answer(await asOwner('GET', `/users/${elsewhere.id}`)), [404, 'not_found'])
  })

  await t.test('have a version: whoever knows it is told no more, and whoever knows another changes nothing', async t => {
    const member = await addMember(admin)
    const read = await asOwner('GET', `/users/${member.id}`)
    t.equal(read.headers.etag, '"1"')
    for (const tags of ['"1"', 'W/"1"', '"7", "1"', '*']) {
      const known = await asOwner('GET', `/users/${member.id}`, undefined, { 'if-none-match': tags })
      t.same([known.status, known.body, known.headers.etag], [304, '', '"1"'], tags)
    }
    t.equal((await asOwner('GET', `/users/${member.id}`, undefined, { 'if-none-match': '"2"' })).status, 200)
    const change = (tags: string) => asOwner('PATCH', `/users/${member.id}`, { firstName: 'Pia' }, { 'if-match': tags })
    for (const tags of ['"2"', 'W/"1"', '"x"', '1', '"01"', '""']) t.same(answer(await change(tags)), [412, 'precondition_failed'], tags)
    t.same(answer(await change('"1", "2"')), [400, 'bad_request'])
    t.equal((await rowOf(member.id))!.version, 1)
    const changed = await change('"1"')
    t.same([changed.status, changed.headers.etag, changed.json().firstName], [200, '"2"', 'Pia'])
    t.same(answer(await change('"1"')), [412, 'precondition_failed'])
    t.same(answer(await asOwner('DELETE', `/users/${member.id}`, undefined, { 'if-match': '"1"' })), [412, 'precondition_failed'])
    t.equal((await change('*')).status, 200)
    t.same(answer(await asking(site, { cookie: '' })('GET', `/users/${member.id}`, undefined, { 'if-none-match': '"3"' })), [401, 'unauthenticated'], 'not to nobody')
  })

  await t.test('a body says what it is about, and nothing else', async t => {
    const { id } = await addMember(admin)
    const odd: object[] = [
      {}, { account_id: 2 }, { accountId: 2, role: 'viewer' }, { id, role: 'viewer' }, { passwordHash: 'x' }, { version: 7 }, { role: 'root' }, { role: null }, { isActive: 'true' },
      { isActive: 1 }, { email: 'nobody' }, { firstName: '' }, { firstName: ' ' }, { lastName: 'a\nb' }, { lastName: '👩'.repeat(501) }, { lastName: 'a\0' }
    ]
    for (const body of odd) t.same(answer(await asOwner('PATCH', `/users/${id}`, body)), [400, 'bad_request'], Object.keys(body).join())
    t.match((await asOwner('PATCH', `/users/${id}`, { role: 'root' })).json().title, /owner, admin, member, viewer/)
    t.same(answer(await asOwner('PATCH', '/users/1', { role: 'viewer' })), [400, 'bad_request'])
    t.equal((await rowOf(id))!.version, 1)
    t.equal((await asOwner('PATCH', `/users/${id}`, { lastName: '👩'.repeat(500) })).status, 200)
  })

  await t.test('an e-mail address is kept in lower case, and is one user\'s', async t => {
    const [one, two] = [await addMember(admin), await addMember(admin)]
    t.equal((await asOwner('PATCH', `/users/${one.id}`, { email: 'Ann@Example.COM' })).json().email, 'ann@example.com')
    t.same(answer(await asOwner('PATCH', `/users/${two.id}`, { email: 'ANN@example.com' })), [409, 'email_taken'])
    t.equal((await asOwner('PATCH', `/users/${one.id}`, { email: 'ann@example.com' })).status, 200, 'their own')
    const statuses = (await Promise.all([one, two].map(({ id }) => asOwner('PATCH', `/users/${id}`, { email: 'both@example.com' })))).map(({ status }) => status)
    t.same(statuses.sort(), [200, 409], 'also if two ask for it at once')
    const elsewhere = await addMember(admin, 'member', { account: 2 })
    t.equal((await asOwner('PATCH', `/users/${one.id}`, { email: elsewhere.email })).status, 200, 'of another account, nobody knows')
  })

  await t.test('only an owner makes, changes or removes an owner', async t => {
    const [admin1, other, member] = [await addMember(admin, 'admin'), await addMember(admin, 'owner'), await addMember(admin, 'member')]
    const asAdmin = asking(site, admin1)
    t.same(answer(await asAdmin('PATCH', `/users/${member.id}`, { role: 'owner' })), [403, 'owner_only'])
    t.same(answer(await asAdmin('PATCH', `/users/${admin1.id}`, { role: 'owner' })), [403, 'owner_only'])
    for (const body of [{ role: 'member' }, { isActive: false }, { email: 'mine@example.com' }, { firstName: 'X' }]) {
      t.same(answer(await asAdmin('PATCH', `/users/${other.id}`, body)), [403, 'owner_only'])
    }
    t.same(answer(await asAdmin('DELETE', `/users/${other.id}`)), [403, 'owner_only'])
    t.equal((await asAdmin('PATCH', `/users/${member.id}`, { role: 'admin' })).status, 200)
    t.equal((await asOwner('PATCH', `/users/${member.id}`, { role: 'owner' })).status, 200)
    t.equal((await asOwner('PATCH', `/users/${member.id}`, { role: 'viewer' })).status, 200)
    t.equal((await asOwner('DELETE', `/users/${other.id}`)).status, 204)
    t.equal(await rowOf(other.id), undefined)
  })

  await t.test('the last active owner stays one', async t => {
    await addMember(admin, 'owner').then(({ id }) => asOwner('PATCH', `/users/${id}`, { isActive: false })) // does not count
    for (const body of [{ role: 'admin' }, { isActive: false }, { role: 'viewer', isActive: false }]) {
      t.same(answer(await asOwner('PATCH', `/users/${owner.id}`, body)), [409, 'last_owner'])
    }
    t.same(answer(await asOwner('DELETE', `/users/${owner.id}`)), [409, 'last_owner'])
    t.match(await rowOf(owner.id), { role: 'owner', is_active: true })
    t.equal((await asOwner('PATCH', `/users/${owner.id}`, { firstName: 'Olive' })).status, 200, 'and may have another name')
    t.equal(await sessionsOf(owner.id), 1)
  })

  await t.test('another role ends their sessions, and deactivating their tokens, too; at once', async t => {
    const member = await addMember(admin)
    await addSession(admin, member.id)
    const asMember = asking(site, member)
    const { token } = (await asMember('POST', '/tokens', { name: 'one', scope: 'read' })).json()
    t.equal((await asOwner('PATCH', `/users/${member.id}`, { role: 'member', firstName: 'Same' })).status, 200)
    t.equal(await sessionsOf(member.id), 2, 'the role that they have is none')
    t.equal((await asOwner('PATCH', `/users/${member.id}`, { role: 'viewer' })).status, 200)
    t.equal(await sessionsOf(member.id), 0)
    t.same(answer(await asMember('GET', '/me')), [401, 'unauthenticated'])
    t.equal((await asking(site, token)('GET', '/me')).json().role, 'viewer', 'a token may what its user may')
    const cookie = await addSession(admin, member.id)
    t.equal((await asOwner('PATCH', `/users/${member.id}`, { isActive: false })).status, 200)
    t.same(answer(await asking(site, { cookie })('GET', '/me')), [401, 'unauthenticated'])
    t.same(answer(await asking(site, token)('GET', '/me')), [401, 'unauthenticated'])
    t.equal((await asOwner('PATCH', `/users/${member.id}`, { isActive: true })).status, 200)
    t.same(answer(await asking(site, token)('GET', '/me')), [401, 'unauthenticated'], 'and does not come back')
    t.same(await actionsOn(member.id), ['update', 'update', 'end-sessions', 'update', 'end-sessions', 'revoke-tokens', 'update'])
  })

  await t.test('whoever gives up their own role goes on in a new session, and all others end', async t => {
    const other = await addMember(admin, 'owner')
    const second = await addSession(admin, other.id)
    const reply = await asking(site, other)('PATCH', `/users/${other.id}`, { role: 'member' })
    t.equal(reply.status, 200)
    const cookie = reply.headers['set-cookie']![0]!.split(';')[0]!
    for (const gone of [other.cookie, second]) t.same(answer(await asking(site, { cookie: gone })('GET', '/me')), [401, 'unauthenticated'])
    t.equal((await asking(site, { cookie })('GET', '/me')).json().role, 'member')
    t.same(answer(await asking(site, { cookie })('PATCH', `/users/${owner.id}`, { role: 'member' })), [403, 'forbidden'])
    const named = await asOwner('PATCH', `/users/${owner.id}`, { role: 'owner', firstName: 'O' })
    t.equal(named.headers['set-cookie'], undefined, 'the role that one has is no change')
  })

  await t.test('two owners who unmake each other at once: one of them is left', async t => {
    const others = [{ role: 'member' }, { isActive: false }, undefined]
    for (const [i, body] of Array.from({ length: 12 }, (_, i) => [i, others[i % others.length]] as const)) {
      await admin`delete from users where account_id = 1`
      const [one, two] = [await addMember(admin, 'owner'), await addMember(admin, 'owner')]
      const unmake = (by: typeof one, whom: typeof one) => body ? asking(site, by)('PATCH', `/users/${whom.id}`, body) : asking(site, by)('DELETE', `/users/${whom.id}`)
      const replies = await Promise.all([unmake(one, two), unmake(two, one)])
      const done = replies.filter(({ status }) => status < 300)
      const refused = replies.filter(({ status }) => status >= 400).map(reply => answer(reply)[1])
      t.same([done.length, refused.length], [1, 1], `${i}: ${refused}`)
      t.ok(['try_again', 'unauthenticated', 'last_owner', 'not_found'].includes(refused[0]!), refused[0]!)
      const [{ left } = { left: 0 }] = await admin`select count(*)::int as left from users where account_id = 1 and role = 'owner' and is_active`
      t.equal(left, 1)
    }
  })

  await t.test('of three owners of whom each unmakes the next, or themselves, at once, one is left', async t => {
    for (const step of [1, 0, 2, 1, 0, 2]) {
      await admin`delete from users where account_id = 1`
      const owners = await Promise.all([1, 2, 3].map(() => addMember(admin, 'owner')))
      const replies = await Promise.all(owners.map((by, i) => asking(site, by)('PATCH', `/users/${owners[(i + step) % 3]!.id}`, { role: 'viewer' })))
      const [{ left } = { left: 0 }] = await admin`select count(*)::int as left from users where account_id = 1 and role = 'owner' and is_active`
      t.ok(left >= 1, `${replies.map(reply => answer(reply)[1] ?? 'done')}`)
      t.ok(replies.some(({ status }) => status === 200))
    }
  })
})
