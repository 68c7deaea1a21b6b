import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testDatabase } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { testProxy } from '../support/proxy.ts'
import { testSite } from '../support/http.ts'
import { watchSecondWall } from '../support/second-wall.ts'

t.test('the listing, as a page and as JSON', async t => {
  const database = await testDatabase(t)
  const [first, second] = await furnish(t, database, 101, 3, 0)
  const site = await testSite(t, { ...database, appUrl: watchSecondWall(t, database).url })
  const byName = first!.subtasks.toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.id! < b.id! ? -1 : 1)

  t.test('an account\'s root leads to its subtasks', async t => {
    const reply = await site.get('tenant-0.localhost:3000', '/')
    t.equal(reply.status, 302)
    t.equal(reply.headers.location, '/subtasks/', 'relative: nothing is made of the Host header')
  })

  t.test('the page shows ten of its own, by name, and every column', async t => {
    const { status, headers, body } = await site.get('tenant-0.localhost', '/subtasks/')
    t.equal(status, 200)
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
    t.match(headers['cache-control'], /private, no-store/)
    t.match(headers['content-security-policy'], /default-src 'none'/)
    t.equal(headers['x-content-type-options'], 'nosniff')
    t.same([...body.matchAll(/<th scope="col" role="columnheader">(.+?)<\/th>/g)].map(match => match[1]), ['Account', 'Project', 'Task', 'Subtask', 'Name', 'Complete?', 'Details'])
    t.same(idsIn(body), byName.slice(0, 10).map(row => row.id))
    for (const foreign of second!.subtasks) t.notOk(body.includes(foreign.id!), 'nothing of another account')
    t.match(body, 'Page 1 of 11')
    t.match(body, '<a href="/subtasks/" aria-current="page" aria-label="Page 1">1</a>')
    t.match(body, '<a href="/subtasks/11/" aria-label="Page 11">11</a>', 'the last page is linked')
  })

  t.test('all pages together are all subtasks, once each; the JSON agrees with every page', async t => {
    const seen = []
    for (let page = 1; page <= 11; page++) {
      const { body } = await site.get('tenant-0.localhost', page === 1 ? '/subtasks/' : `/subtasks/${page}/`)
      const json = (await site.get('tenant-0.localhost', `/api/subtasks?page=${page}`)).json()
      t.same(idsIn(body), json.subtasks.map((row: { id: string }) => row.id), `page ${page}`)
      t.match(json, { page, pages: 11, limit: 10, total: 101 })
      seen.push(...idsIn(body))
    }
    t.same(seen, byName.map(row => row.id))
  })

  t.test('by cursor, too, all are seen once each, in pages of any size', async t => {
    for (const limit of [1, 7, 100]) {
      const seen: { id: string }[] = []
      let page = (await site.get('tenant-0.localhost', `/api/subtasks?limit=${limit}`)).json()
      for (let n = 0; n < 101; n++) {
        t.ok(page.subtasks.length === limit || page.next === null)
        seen.push(...page.subtasks)
        if (page.next === null) break
        page = (await site.get('tenant-0.localhost', `/api/subtasks?limit=${limit}&cursor=${page.next}`)).json()
        t.same(Object.keys(page), ['limit', 'next', 'subtasks'])
      }
      t.same(seen.map(({ id }) => id), byName.map(row => row.id), `${limit} a page`)
    }
  })

  t.test('JSON has names and values', async t => {
    const { subtasks: [row] } = (await site.get('tenant-0.localhost', '/api/subtasks?limit=1')).json()
    const { id, name, isComplete, details } = byName[0]!
    const [project, task] = [first!.projects[0]!, first!.tasks[0]!]
    t.same(row, {
      id, account: first!.account.name, projectId: project.id, project: project.name, taskId: task.id, task: task.name, name, isComplete, details
    })
  })

  t.test('an account without subtasks', async t => {
    const { status, body } = await site.get('tenant-2.localhost', '/subtasks/')
    t.equal(status, 200)
    t.match(body, '(No results)')
    t.match(body, 'Page 1 of 1')
    t.same((await site.get('tenant-2.localhost', '/api/subtasks')).json(), { page: 1, pages: 1, limit: 10, total: 0, more: false, next: null, subtasks: [] })
  })

  t.test('the last page, by that name', async t => {
    const { body } = await site.get('tenant-0.localhost', '/subtasks/last/')
    t.same(idsIn(body), [byName[100]!.id], 'the rows that it has by its number')
    t.match(body, 'Page 11 of 11')
    t.match((await site.get('tenant-2.localhost', '/subtasks/last/')).body, 'Page 1 of 1')
    t.same(idsIn((await site.get('tenant-0.localhost', '/subtasks/last/?sort=-name')).body), [byName[0]!.id])
  })

  t.test('pages that are not there', async t => {
    for (const page of ['12', '0', '-1', '1.5', '1e9', 'x', '9007199254740993', '00', '%00', 'Last', 'lastly']) {
      const { status, headers, body } = await site.get('tenant-0.localhost', `/subtasks/${page}/`)
      t.equal(status, 404, page)
      t.match(headers['content-type'], 'text/html')
      t.match(body, '<h1>Not found</h1>')
    }
    const { status, headers, body } = await site.get('tenant-0.localhost', '/api/subtasks?page=12')
    t.equal(status, 404)
    t.match(headers['content-type'], 'application/problem+json')
    t.match(JSON.parse(body), { status: 404, code: 'page_not_found' })
  })

  t.test('text is shown as text', async t => {
    const nasty = '<script>alert(1)</script>"><img src=x onerror=y> & {{7*7}} \'; drop table subtasks'
    await database.admin`update subtasks set name = ${nasty}, details = ${nasty} where account_id = 2`
    await database.admin`update accounts set name = ${nasty} where account_id = 2`
    const { body } = await site.get('tenant-1.localhost', '/subtasks/')
    t.notMatch(body, '<script>')
    t.notMatch(body, '<img')
    t.match(body, '&#60;script')
    t.equal((await site.get('tenant-1.localhost', '/api/subtasks')).json().subtasks[0].name, nasty)
  })

  t.test('HEAD is a GET without the body', async t => {
    const { status, body } = await site.get('tenant-0.localhost', '/subtasks/', { method: 'HEAD' })
    t.same([status, body], [200, ''])
  })
})

t.test('what is counted is a thousand from the page on, and the page says so', async t => {
  const database = await testDatabase(t)
  const [data] = await furnish(t, database, 1_030)
  const site = await testSite(t, database)
  const at = async (page: number) => (await site.get('tenant-0.localhost', `/api/subtasks?page=${page}`)).json()
  t.match(await at(1), { total: 1_000, pages: 100, more: true })
  t.match(await at(3), { total: 1_020, pages: 102, more: true })
  t.match(await at(4), { total: 1_030, pages: 103, more: false })
  t.match(await at(103), { total: 1_030, pages: 103, more: false, next: null, subtasks: { length: 10 } })
  t.match((await site.get('tenant-0.localhost', '/subtasks/')).body, 'More than 1,000 subtasks')
  t.match((await site.get('tenant-0.localhost', '/subtasks/103/')).body, '1,030 subtasks')
  const names = data!.subtasks.map(({ name }) => name).toSorted((a, b) => a < b ? -1 : 1)
  const last = (await at(103)).subtasks
  t.same(last.map(({ name }: { name: string }) => name), names.slice(-10))

  t.match((await site.get('tenant-0.localhost', '/subtasks/2/')).body, '<a href="/subtasks/last/" aria-label="Last page">Last</a>', 'the last page is linked')
  const { body } = await site.get('tenant-0.localhost', '/subtasks/last/')
  t.match(body, 'The last page of more than 100')
  t.same(idsIn(body), last.map(({ id }: { id: string }) => id))
})

t.test('F11: a listing waits for the database once', async t => {
  const database = (await testDatabase(t)).direct
  await furnish(t, database, 20)
  const proxy = await testProxy(t, database.appUrl, { delay: 10 })
  const site = await testSite(t, { ...database, appUrl: proxy.url(database.appUrl) })
  const visit = async () => (await site.get('tenant-0.localhost', '/subtasks/')).status
  t.equal(await visit(), 200)
  await sleep(100) // nobody waits for a COMMIT; once it is answered, the connection is free
  proxy.turns = 0
  t.equal(await visit(), 200)
  t.equal(proxy.turns, 1, 'BEGIN, enter, the page, its count and COMMIT in one round trip')
})

t.test('with the signed context the same is served', async t => {
  const database = await testDatabase(t, 'signed')
  const [data] = await furnish(t, database, 5, 5)
  const { signing } = await import('../support/server.ts')
  const keys = { TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: signing.previous, TENANT_SIGNING_KEY_PREVIOUS: signing.current }
  const site = await testSite(t, database, keys)
  const { status, body } = await site.get('tenant-0.localhost', '/subtasks/')
  t.equal(status, 200, 'signed with the other one of two keys that are valid at once')
  t.same(idsIn(body).toSorted(), data!.subtasks.map(row => row.id).toSorted())
})

const idsIn = (body: string) => [...body.matchAll(/<code title="([0-9a-f-]{36})">/g)].map(match => match[1]!)
