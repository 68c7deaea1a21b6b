// The log over the API: the newest first, walked by cursor, each account's own.
import t from 'tap'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { addMember, answer, asking } from '../support/members.ts'

t.test('all changes are listed, the newest first, in pages', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 0, 0)
  const site = await testSite(t, database)
  const [owner, elsewhere] = [await addMember(database.admin, 'owner'), await addMember(database.admin, 'owner', { account: 2 })]
  const [ask, askThere] = [asking(site, owner), asking(site, elsewhere, 'tenant-1.localhost')]
  const made: string[] = []
  for (const n of [1, 2, 3, 4, 5]) made.push((await ask('POST', '/projects', { name: `Project ${n}` })).json().id)
  await askThere('POST', '/projects', { name: 'Theirs' })

  const seen: { entityId: string, actor: string, action: string }[] = []
  const sizes: number[] = []
  let next: string | null = ''
  while (next !== null) {
    const page: { entries: typeof seen, next: string | null } = (await ask('GET', `/audit?limit=2${next && `&cursor=${next}`}`)).json()
    if (seen.length === 2) await ask('POST', '/projects', { name: 'Made while somebody walks' })
    sizes.push(page.entries.length)
    seen.push(...page.entries)
    next = page.next
  }
  t.same(seen.map(({ entityId }) => entityId), made.toReversed(), 'none twice, none left out, and what is new is not on later pages')
  t.same(sizes, [2, 2, 1])
  t.match(seen[0], { actor: owner.email, userId: owner.id, action: 'create', entity: 'projects', before: null, after: { name: 'Project 5' } })
  t.match((await ask('GET', '/audit?limit=1')).json().entries, [{ after: { name: 'Made while somebody walks' } }])

  const { next: cursor } = (await ask('GET', '/audit?limit=1')).json()
  t.same(answer(await askThere('GET', `/audit?cursor=${cursor}`)), [400, 'cursor_invalid'], 'a cursor is its account\'s')
  t.same(answer(await ask('GET', `/users?cursor=${cursor}`)), [400, 'cursor_invalid'], 'and its list\'s')
  for (const path of ['/audit', '/users', '/invitations', '/tokens', '/me/sessions']) {
    for (const query of ['q=x', 'sort=name']) t.same(answer(await ask('GET', `${path}?${query}`)), [400, 'bad_request'], `${path} has one order: ${query}`)
  }
})
