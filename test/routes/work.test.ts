// Projects, tasks and subtasks over the API: each verb, and what it leaves behind.
import t, { type Test } from 'tap'
import { hashOf, newSecret } from '../../src/auth/secrets.ts'
import { uuidv7 } from '../../src/ids.ts'
import { furnish } from '../support/accounts.ts'
import { apiOf } from '../support/api.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { everythingOf } from '../support/rows.ts'
import { accountId } from '../../src/tenancy/account.ts'

const kinds = ['projects', 'tasks', 'subtasks'] as const
type Kind = typeof kinds[number]

async function scene (t: Test) {
  const database = await testDatabase(t)
  const [ours, theirs] = await furnish(t, database, 1, 1)
  const site = await testSite(t, database)
  const api = apiOf(site, 'tenant-0.localhost')
  const parent = { projects: {}, tasks: { projectId: ours!.projects[0]!.id! }, subtasks: { taskId: ours!.tasks[0]!.id! } }
  const make = async (kind: Kind, name = `new ${kind}`) => (await api('POST', `/${kind}`, { ...parent[kind], name })).json<{ id: string }>().id
  let seen = 0
  /** What was written down since it was last asked. */
  const logged = async () => {
    const rows = await database.admin`select action, entity, entity_id, actor, user_id, before, after from audit_log where account_id = 1 order by at, id offset ${seen}`
    seen += rows.length
    return rows.map(row => ({ ...row }))
  }
  const everything = () => everythingOf(database.admin, accountId(1))
  return { database, ours: ours!, theirs: theirs!, site, api, parent, make, logged, everything }
}

for (const kind of kinds) {
  t.test(kind, async t => {
    const { database, site, api, parent, make, logged, everything } = await scene(t)

    await t.test('made, read, changed, deleted', async t => {
      const shown = { ...parent[kind], name: 'Ünï 👩 <b>', details: '', ...kind !== 'projects' && { isComplete: false }, version: 1 }
      const made = await api('POST', `/${kind}`, { ...parent[kind], name: shown.name })
      const { id } = made.json()
      t.equal(made.status, 201)
      t.same([made.headers.location, made.headers.etag], [`/api/${kind}/${id}`, '"1"'])
      t.same(made.json(), { id, ...shown }, 'the row, and nothing about whose it is')

      const read = await api('GET', `/${kind}/${id}`)
      t.same([read.status, read.headers.etag, read.json()], [200, '"1"', made.json()])
      t.same((await api('GET', `/${kind}/${id.toUpperCase()}`)).json(), made.json(), 'D6 84 in capitals')
      const known = await api('GET', `/${kind}/${id}`, undefined, { 'if-none-match': '"7", W/"1"' })
      t.same([known.status, known.headers.etag, known.body], [304, '"1"', ''])
      t.equal((await api('GET', `/${kind}/${id}`, undefined, { 'if-none-match': '"2"' })).status, 200)
      const head = await api('HEAD', `/${kind}/${id}`)
      t.same([head.status, head.headers.etag, head.body], [200, '"1"', ''])

      const changed = await api('PATCH', `/${kind}/${id}`, { details: 'more of it' })
      t.same([changed.status, changed.headers.etag, changed.json()], [200, '"2"', { ...made.json(), details: 'more of it', version: 2 }])
      t.same((await api('GET', `/${kind}/${id}`)).json(), changed.json())

      const deleted = await api('DELETE', `/${kind}/${id}`)
      t.same([deleted.status, deleted.body], [204, ''])
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const reply = await api(method, `/${kind}/${id}`, method === 'PATCH' ? { name: 'x' } : undefined)
        t.same([reply.status, reply.json().code], [404, 'not_found'], `${method} of what is gone`)
      }
      t.match(await logged(), [
        { action: 'create', entity: kind, entity_id: id, actor: 'owner@example.com', before: null, after: shown },
        { action: 'update', before: shown, after: { details: 'more of it', version: 2 } },
        { action: 'delete', before: { details: 'more of it' }, after: null }
      ], 'all of it is written down')
      t.equal((await database.admin`select 1 from audit_log l join users u on u.id = l.user_id and u.account_id = l.account_id`).length, 3)
    })

    await t.test('of two who change what both have read, one is told', async t => {
      const path = `/${kind}/${await make(kind)}`
      const both = await Promise.all(['one', 'two'].map(name => api('PATCH', path, { name }, { 'if-match': '"1"' })))
      t.same(both.map(({ status }) => status).toSorted(), [200, 412])
      t.match(both.find(({ status }) => status === 412)!.json(), { code: 'precondition_failed' })
      const before = await everything()
      for (const method of ['PATCH', 'DELETE']) {
        for (const tag of ['"1"', '"3"', 'W/"2"', '2', '"x"', '']) {
          const { status, json } = await api(method, path, method === 'PATCH' ? { name: 'late' } : undefined, { 'if-match': tag })
          t.same([status, json().code], [412, 'precondition_failed'], `${method} ${tag}`)
        }
        t.equal((await api(method, path, method === 'PATCH' ? { name: 'late' } : undefined, { 'if-match': '"1", "2"' })).status, 400, 'two at once')
      }
      t.equal(await everything(), before)
      t.equal((await api('PATCH', path, { name: 'three' }, { 'if-match': '"2"' })).headers.etag, '"3"')
      t.equal((await api('PATCH', path, { name: 'four' }, { 'if-match': '*' })).headers.etag, '"4"')
      t.equal((await api('DELETE', path, undefined, { 'if-match': '"4"' })).status, 204)
      t.same((await logged()).map(({ action }) => action), ['create', 'update', 'update', 'update', 'delete'])
    })

    await t.test('an Idempotency-Key makes one of it', async t => {
      const body = { ...parent[kind], name: 'once' }
      const replies = await Promise.all([1, 2].map(() => api('POST', `/${kind}`, body, { 'idempotency-key': 'a-key' })))
      t.same(replies.map(({ status }) => status), [201, 201])
      t.equal(replies[0]!.body, replies[1]!.body)
      t.equal(replies[0]!.headers.location, replies[1]!.headers.location)
      t.match(await api('POST', `/${kind}`, { ...body, name: 'other' }, { 'idempotency-key': 'a-key' }), { status: 422 }, 'D6 92')
      t.equal((await logged()).length, 1)
    })

    await t.test('who may only look, changes nothing', async t => {
      const path = `/${kind}/${await make(kind)}`
      const secret = newSecret()
      const viewer = uuidv7()
      await database.admin`insert into users (account_id, id, email, first_name, last_name, password_hash, role) values (1, ${viewer}, 'vic@example.com', 'Vic', 'V', 'none', 'viewer')`
      await database.admin`insert into sessions (account_id, id, user_id, token_hash, expires_at, address, user_agent)
        values (1, ${uuidv7()}, ${viewer}, ${hashOf(secret)}, now() + interval '1 day', '127.0.0.1', 'test')`
      const api = apiOf(site, 'tenant-0.localhost', { cookie: `session=${secret}`, 'sec-fetch-site': 'same-origin' })
      t.equal((await api('GET', path)).status, 200)
      t.equal((await api('GET', `/${kind}`)).status, 200)
      const before = await everything()
      const completion = kind === 'projects' ? [] : [['PUT', `${path}/completion`], ['DELETE', `${path}/completion`]] as const
      for (const [method, at, body] of [['POST', `/${kind}`, { ...parent[kind], name: 'x' }], ['PATCH', path, { name: 'x' }], ['DELETE', path], ...completion] as const) {
        const { status, json } = await api(method, at, body)
        t.same([status, json().code], [403, 'forbidden'], `${method} ${at}`)
      }
      t.equal(await everything(), before)
      for (const method of ['PATCH', 'DELETE']) {
        t.equal((await api(method, `/${kind}/${uuidv7()}`, method === 'PATCH' ? { name: 'x' } : undefined)).status, 403, 'and is not told what is there')
      }
      t.equal((await apiOf(site, 'tenant-0.localhost', { cookie: '' })('GET', path)).status, 401)
    })
  })
}

for (const kind of ['tasks', 'subtasks'] as const) {
  t.test(`${kind}, as parts`, async t => {
    const { api, make, ours, theirs, logged, everything } = await scene(t)

    await t.test('completed and reopened', async t => {
      const path = `/${kind}/${await make(kind)}`
      for (const [method, isComplete, etag] of [['PUT', true, '"2"'], ['PUT', true, '"2"'], ['DELETE', false, '"3"'], ['DELETE', false, '"3"']] as const) {
        const { status, headers, json } = await api(method, `${path}/completion`)
        t.match({ status, etag: headers.etag, ...json() }, { status: 200, etag, isComplete }, method)
        t.equal((await api('GET', path)).json().isComplete, isComplete)
      }
      t.match(await api('PUT', `${path}/completion`, undefined, { 'if-match': '"2"' }), { status: 412 })
      t.match(await api('PUT', `${path}/completion`, undefined, { 'if-match': '"3"' }), { status: 200 })
      t.match(await api('PUT', `/${kind}/${uuidv7()}/completion`), { status: 404 })
      t.same((await logged()).map(({ action }) => action), ['create', 'complete', 'reopen', 'complete'], 'twice is once')
    })

    await t.test('under a parent of one\'s own only', async t => {
      const reference = kind === 'tasks' ? 'projectId' : 'taskId'
      const [foreign, own] = kind === 'tasks' ? [theirs.projects[0]!.id!, ours.projects[0]!.id!] : [theirs.tasks[0]!.id!, ours.tasks[0]!.id!]
      const path = `/${kind}/${await make(kind)}`
      const second = await make(kind === 'tasks' ? 'projects' : 'tasks')
      t.equal((await api('PATCH', path, { [reference]: second })).json()[reference], second, 'moved')
      const before = await everything()
      const answers = []
      for (const id of [foreign, uuidv7(), '00000000-0000-0000-0000-000000000000']) {
        for (const reply of [await api('POST', `/${kind}`, { [reference]: id, name: 'x' }), await api('PATCH', path, { [reference]: id })]) {
          t.same([reply.status, reply.json().code], [409, 'reference_missing'])
          answers.push(reply.body)
        }
      }
      t.equal(new Set(answers).size, 1, 'another account\'s is as unknown as one that never was')
      t.equal(await everything(), before, 'and leaves no trace, in the log neither')
      t.equal((await api('PATCH', path, { [reference]: own.toUpperCase() })).json()[reference], own)
      t.equal((await logged()).length, 4)
    })
  })
}

t.test('the progress of a project', async t => {
  const { api, make } = await scene(t)
  const projectId = await make('projects')
  const nothing = { done: 0, total: 0 }
  t.same((await api('GET', `/projects/${projectId}/progress`)).json(), { tasks: nothing, subtasks: nothing })
  const [first] = await Promise.all(['a', 'b'].map(async name => (await api('POST', '/tasks', { projectId, name })).json<{ id: string }>().id))
  const [step] = await Promise.all(['c', 'd', 'e'].map(async name => (await api('POST', '/subtasks', { taskId: first, name })).json<{ id: string }>().id))
  await api('PUT', `/subtasks/${step}/completion`)
  const counts = { tasks: { done: 0, total: 2 }, subtasks: { done: 1, total: 3 } }
  t.same((await api('GET', `/projects/${projectId}/progress`)).json(), counts)
  t.same((await api('GET', `/projects/${projectId.toUpperCase()}/progress`)).json(), counts)
  t.match(await api('GET', `/projects/${uuidv7()}/progress`), { status: 404 })
})
