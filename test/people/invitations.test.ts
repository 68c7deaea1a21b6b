// Invitations: a link that is good once, for whoever has it, and looks like any other when it is not.
import t from 'tap'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { addMember, answer, asking } from '../support/members.ts'
import { cookieOf, post, signInAs } from '../support/people.ts'

const [host, other] = ['tenant-0.localhost', 'tenant-1.localhost'] as [string, string]
type Page = { next: string | null } & Record<'invitations' | 'tokens' | 'sessions', { id: string }[]>

const newcomer = { firstName: 'Nia', lastName: 'New', password: 'correct mule 🐴' }

t.test('invitations', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 0, 0)
  const site = await testSite(t, database)
  const manager = await addMember(admin, 'admin')
  const asManager = asking(site, manager)
  const inviteTo = async (email: string, role = 'member') => {
    const { link, ...made } = (await asManager('POST', '/invitations', { email, role })).json()
    return { ...made, link, path: new URL(link).pathname }
  }
  const open = (path: string, at = host) => site.get(at, path, { headers: { cookie: '' } })

  await t.test('are shown once, as a link', async t => {
    const reply = await site.get(`${host}:3000`, '/api/invitations', {
      method: 'POST', headers: { cookie: manager.cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }, payload: '{"email":"Ned@Example.com","role":"viewer"}'
    })
    t.equal(reply.status, 201)
    const { link, ...made } = reply.json()
    t.match(link, /^http:\/\/tenant-0\.localhost:3000\/invitations\/[\w-]{43}$/)
    t.match(made, { email: 'ned@example.com', role: 'viewer', invitedBy: manager.email })
    t.ok(Math.abs(Date.parse(made.expiresAt) - Date.now() - 7 * 24 * 3_600_000) < 60_000)
    const list = await asManager('GET', '/invitations')
    t.same(list.json().invitations, [made])
    const [everything] = await admin`select (select string_agg(a::text, '') from audit_log a) || (select string_agg(a::text, '') from invitations a) as text`
    const [{ token_hash: hash } = { token_hash: '' }] = await admin`select token_hash from invitations`
    t.notMatch(everything!.text, link.slice(-43), 'nowhere in the database')
    t.notMatch(list.body, hash)
    t.notMatch(JSON.stringify(await admin`select * from audit_log`), hash)
    const again = () => asManager('POST', '/invitations', { email: 'once@example.com', role: 'viewer' }, { 'idempotency-key': 'invite' })
    t.equal((await again()).status, 201)
    t.same(answer(await again()), [409, 'shown_once'])
  })

  await t.test('make whoever has the link a user, who is signed in and can sign in again', async t => {
    const { path } = await inviteTo('nia@example.com', 'viewer')
    const page = await open(path)
    t.equal(page.status, 200)
    t.match(page.body, 'You are invited as a viewer, and will sign in as nia@example.com.')
    t.notMatch(page.body, path.slice(-43))
    t.match(page.headers, { 'cache-control': /no-store/, 'referrer-policy': 'same-origin' })
    const joined = await post(site, host, path, newcomer)
    t.same([joined.status, joined.headers.location], [303, '/'])
    t.match((await asking(site, { cookie: cookieOf(joined) })('GET', '/me')).json(), { email: 'nia@example.com', role: 'viewer', firstName: 'Nia', lastName: 'New' })
    t.equal((await signInAs(site, host, { email: 'nia@example.com', password: newcomer.password })).status, 303)
    t.equal((await post(site, host, path, newcomer)).status, 404)
    t.same((await admin`select action from audit_log where actor = ${`an invitation by ${manager.email}`} order by id`).map(row => row.action), ['accept', 'create'])
    t.notOk((await asManager('GET', '/invitations')).json().invitations.some((each: { email: string }) => each.email === 'nia@example.com'))
  })

  await t.test('used, expired, withdrawn, foreign or invented: one answer, and nobody is made a user', async t => {
    const used = await inviteTo('used@example.com')
    await post(site, host, used.path, newcomer)
    await admin`update users set email = 'moved@example.com' where email = 'used@example.com'` // so that the address is free again
    const old = await inviteTo('old@example.com')
    await admin`update invitations set expires_at = now() - interval '1 second' where id = ${old.id}`
    const withdrawn = await inviteTo('withdrawn@example.com')
    t.equal((await asManager('DELETE', `/invitations/${withdrawn.id}`)).status, 204)
    t.same(answer(await asManager('DELETE', `/invitations/${withdrawn.id}`)), [404, 'not_found'])
    const replaced = await inviteTo('replaced@example.com')
    await inviteTo('replaced@example.com')
    const foreign = await inviteTo('foreign@example.com')
    const before = await admin`select count(*)::int as n from users`
    const looks = new Set<string>()
    for (const [path, at] of [[used.path], [old.path], [withdrawn.path], [replaced.path], [foreign.path, other], [`/invitations/${'A'.repeat(43)}`], ['/invitations/x']] as [string, string?][]) {
      const [shown, sent] = [await open(path, at), await post(site, at ?? host, path, newcomer)]
      t.same([shown.status, sent.status], [404, 404], path)
      for (const { body } of [shown, sent]) looks.add(body)
    }
    t.equal(looks.size, 1)
    t.match([...looks][0], /Ask for a new one/)
    t.same(await admin`select count(*)::int as n from users`, before)
    t.equal((await open(foreign.path)).status, 200, 'where it belongs it is good')
    t.same(answer(await asManager('DELETE', `/invitations/${used.id}`)), [404, 'not_found'], 'what was accepted is no invitation any more')
  })

  await t.test('accepted twice at once, one user is made', async t => {
    for (const n of [1, 2, 3, 4]) {
      const { path } = await inviteTo(`twice-${n}@example.com`)
      const replies = await Promise.all([1, 2, 3].map(() => post(site, host, path, newcomer)))
      t.same(replies.map(({ status }) => status).sort(), [303, 404, 404])
      t.equal((await admin`select from users where email = ${`twice-${n}@example.com`}`).length, 1)
    }
  })

  await t.test('what is wrong with the form is said on it, and the invitation is still good', async t => {
    const { path } = await inviteTo('fussy@example.com')
    const odd: [Partial<typeof newcomer>, RegExp, string][] = [
      [{ firstName: ' ' }, /Give your name/, 'firstName'], [{ lastName: 'a\nb' }, /Give your name/, 'lastName'], [{ lastName: 'x'.repeat(501) }, /Give your name/, 'lastName'],
      [{ password: 'short' }, /8 to 128 characters/, 'password'], [{ password: 'password1' }, /tried first/, 'password'], [{ password: 'fussy@example.com' }, /e-mail address is no password/, 'password']
    ]
    for (const [fields, words, field] of odd) {
      const reply = await post(site, host, path, { ...newcomer, firstName: '<b>"Nia"', ...fields })
      t.equal(reply.status, 400)
      t.match(reply.body, words)
      t.match(reply.body, new RegExp(`name="${field}"[^>]* aria-invalid="true"`))
      t.notMatch(reply.body, /<b>"Nia"|short|password1/)
    }
    t.equal((await post(site, host, path, { ...newcomer, role: 'owner' })).status, 400, 'the role is not theirs to choose')
    t.equal((await post(site, host, path, newcomer, { 'sec-fetch-site': 'same-site' })).status, 403, 'not from a page of another account')
    t.equal((await post(site, host, path, newcomer)).status, 303)
  })

  await t.test('only an owner invites an owner; nobody invites who is here, whatever the capitals', async t => {
    t.same(answer(await asManager('POST', '/invitations', { email: 'boss@example.com', role: 'owner' })), [403, 'owner_only'])
    t.same(answer(await asManager('POST', '/invitations', { email: manager.email.toUpperCase(), role: 'viewer' })), [409, 'email_taken'])
    const asOwner = asking(site, await addMember(admin, 'owner'))
    const made = (await asOwner('POST', '/invitations', { email: 'boss@example.com', role: 'owner' })).json()
    t.same(answer(await asManager('DELETE', `/invitations/${made.id}`)), [403, 'owner_only'])
    t.same(answer(await asManager('POST', '/invitations', { email: 'boss@example.com', role: 'viewer' })), [403, 'owner_only'], 'nor in place of one to an owner')
    for (const body of [{ email: 'x@example.com' }, { email: 'x', role: 'viewer' }, { email: 'x@example.com', role: 'root' }, { email: 'x@example.com', role: 'viewer', accountId: 2 }]) {
      t.same(answer(await asManager('POST', '/invitations', body)), [400, 'bad_request'])
    }
    const { path } = await inviteTo('late@example.com')
    await admin`update users set email = 'late@example.com' where id = ${(await addMember(admin)).id}`
    const late = await post(site, host, path, newcomer)
    t.equal(late.status, 409)
    t.match(late.body, /in this account already/)
  })

  await t.test('one person may be in two accounts, and nothing links them', async t => {
    const { path } = await inviteTo('both@example.com')
    t.equal((await post(site, host, path, newcomer)).status, 303)
    const elsewhere = await addMember(admin, 'owner', { account: 2 })
    const { link } = (await asking(site, elsewhere, other)('POST', '/invitations', { email: 'both@example.com', role: 'admin' })).json()
    t.equal((await post(site, other, new URL(link).pathname, { ...newcomer, password: 'quite another 🐎' })).status, 303)
    t.equal((await signInAs(site, other, { email: 'both@example.com', password: newcomer.password })).status, 401)
    t.equal((await signInAs(site, host, { email: 'both@example.com', password: newcomer.password })).status, 303)
  })

  await t.test('like API tokens and sessions, they are listed whole, page after page', async t => {
    for (const n of [1, 2, 3, 4, 5]) {
      await inviteTo(`walk-${n}@example.com`)
      t.equal((await asManager('POST', '/tokens', { name: `walk ${n}`, scope: 'read', days: 1 })).status, 201)
      await admin`insert into sessions (account_id, id, user_id, token_hash, expires_at, address, user_agent)
        values (1, gen_random_uuid(), ${manager.id}, ${String(n).repeat(64)}, now() + interval '1 day', '', '')`
    }
    const there = {
      invitations: await admin`select id from invitations where account_id = 1 and accepted_at is null`,
      tokens: await admin`select id from api_tokens where user_id = ${manager.id}`,
      sessions: await admin`select id from sessions where user_id = ${manager.id}`
    }
    for (const [list, path] of [['invitations', '/invitations'], ['tokens', '/tokens'], ['sessions', '/me/sessions']] as const) {
      const seen: string[] = []
      let next: string | null = ''
      for (let pages = 0; next !== null && pages < 50; pages++) {
        const page: Page = (await asManager('GET', `${path}?limit=2${next && `&cursor=${next}`}`)).json()
        t.ok(page[list].length > 0 && page[list].length <= 2, `${list}: ${page[list].length} on a page`)
        seen.push(...page[list].map(({ id }) => id))
        next = page.next
      }
      t.same(seen.toSorted(), there[list].map(({ id }) => id).toSorted(), `${list}: each once`)
      t.ok(seen.length >= 5)
    }
  })
})
