// API tokens: shown once, good for what they say and no longer, and no way to more of them.
import t from 'tap'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { addMember, answer, asking } from '../support/members.ts'

const day = 24 * 3_600_000

t.test('API tokens', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 1, 1)
  const site = await testSite(t, database)
  const member = await addMember(admin, 'admin')
  const asMember = asking(site, member)
  const make = async (body: object = {}) => (await asMember('POST', '/tokens', { name: 'Report', scope: 'read', ...body })).json()

  await t.test('are shown once', async t => {
    const reply = await asMember('POST', '/tokens', { name: 'Nightly report 🌙', scope: 'write' })
    t.equal(reply.status, 201)
    const { token, ...made } = reply.json()
    t.match(token, /^rowhouse_[\w-]{43}$/)
    t.match(made, { name: 'Nightly report 🌙', scope: 'write', usedAt: null })
    t.ok(Math.abs(Date.parse(made.expiresAt) - Date.now() - 90 * day) < 60_000, 'for 90 days')
    const list = await asMember('GET', '/tokens')
    t.same(list.json(), { limit: 10, next: null, tokens: [made] })
    const [everything] = await admin`select (select string_agg(a::text, '') from audit_log a) || (select string_agg(a::text, '') from api_tokens a) as text`
    t.notMatch(everything!.text, token.slice(-43), 'nowhere in the database')
    const [{ token_hash: hash } = { token_hash: '' }] = await admin`select token_hash from api_tokens`
    t.notMatch(list.body, hash)
    const [entry] = await admin`select actor, action, after from audit_log where entity_id = ${made.id}`
    t.match(entry, { actor: member.email, action: 'create', after: { name: 'Nightly report 🌙', scope: 'write' } })
    t.notMatch(JSON.stringify(entry), hash)
  })

  await t.test('a repeated request makes one, and is not told again', async t => {
    const before = (await asMember('GET', '/tokens')).json().tokens.length
    const again = () => asMember('POST', '/tokens', { name: 'Once', scope: 'read' }, { 'idempotency-key': 'key-of-this-request' })
    const first = await again()
    t.equal(first.status, 201)
    t.same(answer(await again()), [409, 'shown_once'])
    t.equal((await asMember('GET', '/tokens')).json().tokens.length, before + 1)
    const [kept] = await admin`select body from idempotency_keys where key = 'key-of-this-request'`
    t.same(kept, { body: null })
  })

  await t.test('last as long as they were to, from a day to a year', async t => {
    for (const days of [1, 365]) t.ok(Math.abs(Date.parse((await make({ days })).expiresAt) - Date.now() - days * day) < 60_000)
    for (const days of [0, 366, 1.5, '90', null]) t.same(answer(await asMember('POST', '/tokens', { name: 'x', scope: 'read', days })), [400, 'bad_request'])
    const { id, token } = await make({ days: 1 })
    const asToken = asking(site, token)
    t.equal((await asToken('GET', '/me')).status, 200)
    await admin`update api_tokens set expires_at = now() - interval '1 second' where id = ${id}`
    t.same(answer(await asToken('GET', '/me')), [401, 'unauthenticated'])
  })

  await t.test('do what their scope allows, and never what would outlast them', async t => {
    const [reading, writing] = [asking(site, (await make()).token), asking(site, (await make({ scope: 'write' })).token)]
    const target = await addMember(admin, 'viewer')
    t.equal((await reading('GET', '/users')).status, 200)
    t.equal((await reading('GET', '/audit')).status, 200)
    t.same(answer(await reading('PATCH', `/users/${target.id}`, { firstName: 'No' })), [403, 'forbidden'])
    t.same(answer(await reading('GET', '/invitations')), [403, 'forbidden'])
    t.equal((await writing('PATCH', `/users/${target.id}`, { firstName: 'Yes' })).status, 200)
    const self: [string, string, object?][] = [
      ['GET', '/tokens'], ['POST', '/tokens', { name: 'more', scope: 'read' }], ['DELETE', `/tokens/${(await make()).id}`], ['PATCH', '/me', { firstName: 'Me' }],
      ['PUT', '/me/password', { current: 'x', password: 'something long' }], ['GET', '/me/sessions'], ['DELETE', '/me/sessions']
    ]
    for (const [method, path, body] of self) t.same(answer(await writing(method, path, body)), [403, 'forbidden'], `${method} ${path}`)
  })

  await t.test('are each user\'s own, and revoked at once', async t => {
    const other = asking(site, await addMember(admin, 'owner'))
    const { id, token } = await make()
    t.same((await other('GET', '/tokens')).json().tokens, [])
    t.same(answer(await other('DELETE', `/tokens/${id}`)), [404, 'not_found'])
    t.equal((await asking(site, token)('GET', '/me')).status, 200)
    t.equal((await asMember('DELETE', `/tokens/${id}`)).status, 204)
    t.same(answer(await asking(site, token)('GET', '/me')), [401, 'unauthenticated'])
    t.same(answer(await asMember('DELETE', `/tokens/${id}`)), [404, 'not_found'])
    t.same(answer(await asking(site, token.replace('rowhouse_', ''))('GET', '/me')), [401, 'unauthenticated'])
    t.same(answer(await asking(site, (await make()).token, 'tenant-1.localhost')('GET', '/me')), [401, 'unauthenticated'], 'nothing on another account\'s host')
  })

  await t.test('a body says what it is about, and nothing else', async t => {
    for (const odd of [{ userId: member.id }, { account_id: 1 }, { name: '' }, { name: 'a'.repeat(501) }, { scope: 'all' }, { scope: ['read'] }]) {
      t.same(answer(await asMember('POST', '/tokens', { name: 'x', scope: 'read', ...odd })), [400, 'bad_request'])
    }
    t.same(answer(await asMember('POST', '/tokens', { name: 'x' })), [400, 'bad_request'])
  })

  await t.test('come in pages, by a cursor that is this user\'s', async t => {
    const { next, tokens } = (await asMember('GET', '/tokens?limit=1')).json()
    t.equal(tokens.length, 1)
    t.not((await asMember('GET', `/tokens?limit=1&cursor=${next}`)).json().tokens[0].id, tokens[0].id)
    const other = asking(site, await addMember(admin, 'member'))
    t.same(answer(await other('GET', `/tokens?cursor=${next}`)), [400, 'cursor_invalid'])
  })
})
