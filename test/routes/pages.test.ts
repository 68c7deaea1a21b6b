// The pages as a browser without script sees them: forms are posted, and every answer is a page or leads to one.
import t, { type Test } from 'tap'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { type Reply, testSite } from '../support/http.ts'
import { quiet, watchSecondWall } from '../support/second-wall.ts'
import { signIn } from '../support/signed-in.ts'

const host = 'tenant-0.localhost'

const database = await testDatabase(t)
const watched = { ...database, appUrl: watchSecondWall(t, database).url } // as all statements in this process are
const site = await testSite(t, watched)

/** On the one site, all accounts anew. */
async function scene (t: Test) {
  await quiet(database.admin)
  await database.admin`truncate accounts, directory cascade`
  const [data] = await furnish(t, watched, 12, 1)
  await signIn(database.admin)
  const see = (path: string) => site.get(host, path)
  const send = (path: string, fields: Record<string, string> = {}) => site.get(host, path, {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: new URLSearchParams(fields).toString()
  })
  const become = (role: string) => database.admin`update users set role = ${role} where account_id = 1 and email = 'owner@example.com'`
  return { database, data: data!, site, see, send, become }
}

/** The address that a reply leads to, after a change. */
function leadsTo (t: Test, reply: Reply, path: RegExp | string): string {
  t.equal(reply.status, 303, reply.body)
  t.match(reply.headers.location, path)
  return reply.headers.location!
}

const idIn = (body: string, kind: string, name: string) => new RegExp(`href="/${kind}s/([0-9a-f-]{36})/">${name}</a>`).exec(body)![1]!
const version = (body: string) => /name="version" value="(\d+)"/.exec(body)![1]!

t.test('a project, its tasks and their subtasks: added, renamed, completed, deleted', async t => {
  const { see, send } = await scene(t)
  leadsTo(t, await send('/projects/', { name: 'Kitchen' }), '/projects/?notice=added')
  const all = (await see('/projects/?notice=added')).body
  t.match(all, '<p class="notice" role="status">Added.</p>')
  t.match(all, 'no subtasks')
  const project = `/projects/${idIn(all, 'project', 'Kitchen')}/`

  leadsTo(t, await send(`${project}tasks`, { name: 'Walls' }), `${project}?notice=added`)
  const task = `/tasks/${idIn((await see(project)).body, 'task', 'Walls')}/`
  leadsTo(t, await send(`${task}subtasks`, { name: 'Paint & <b>' }), `${task}?notice=added`)
  const shown = (await see(task)).body
  t.match(shown, 'Paint &#38; &#60;b&#62;')
  const subtask = `/subtasks/${idIn(shown, 'subtask', 'Paint .*?')}/`

  for (const thing of [task, subtask]) {
    leadsTo(t, await send(`${thing}completion`, { complete: 'yes', back: task }), new RegExp(`^${task}$`))
    t.match((await see(thing)).body, '&check; yes')
    leadsTo(t, await send(`${thing}completion`, { complete: 'yes', back: task }), task)
  }
  t.match((await see(project)).body, '1 of 1 tasks done, 1 of 1 subtasks')
  t.match((await see('/projects/')).body, '<progress max="1" value="1" aria-label="subtasks done">')
  leadsTo(t, await send(`${subtask}completion`, { complete: 'no', back: '/subtasks/' }), '/subtasks/')
  t.match((await see(subtask)).body, '&cir; no')

  for (const thing of [project, task, subtask]) {
    const form = (await see(`${thing}edit`)).body
    leadsTo(t, await send(`${thing}edit`, { version: version(form), name: 'Renamed', details: 'Two\r\nlines' }), `${thing}?notice=saved`)
    const { body } = await see(thing)
    t.match(body, '<h1>Renamed</h1>')
    t.match(body, 'Two\r\nlines')
  }

  for (const [thing, parent] of [[subtask, task], [task, project], [project, '/projects/']] as const) {
    const question = await see(`${thing}delete`)
    t.match(question.body, 'This cannot be undone.')
    t.equal((await see(thing)).status, 200, 'asking deletes nothing')
    leadsTo(t, await send(`${thing}delete`, { version: version(question.body) }), `${parent}?notice=deleted`)
    t.equal((await see(thing)).status, 404)
  }
})

t.test('what was typed and cannot be kept is shown again, with a sentence at the field', async t => {
  const { database, data, see, send } = await scene(t)
  const project = data.projects[0]!.id!
  const before = await database.admin`select count(*)::int from projects`
  for (const [path, field] of [['/projects/', 'New project'], [`/projects/${project}/tasks`, 'New task'], [`/tasks/${data.tasks[0]!.id}/subtasks`, 'New subtask']] as const) {
    for (const name of ['', '   ', 'x'.repeat(501), 'two\nlines']) {
      const { status, body } = await send(path, { name })
      t.equal(status, 422)
      t.match(body, 'aria-describedby="name-error" aria-invalid="true"')
      t.match(body, '<span class="error" id="name-error">A name is one line of 1 to 500 characters')
      t.match(body, field)
      t.ok(body.includes(`value="${name}"`), 'as it was typed')
    }
    t.equal((await send(path, { name: '😀'.repeat(500) })).status, 303, 'an emoji is one character')
  }
  t.equal((await send(`/projects/${project}/edit`, { version: '1', name: 'x', details: 'y'.repeat(10_001) })).status, 422)
  t.same(await database.admin`select count(*)::int from projects`, [{ count: before[0]!.count + 1 }], 'nothing else was kept')

  for (const fields of [{}, { name: 'x', more: 'y' }, { name: 'x', account_id: '2' }]) t.equal((await send('/projects/', fields as Record<string, string>)).status, 400)
  for (const fields of [{ name: 'x', details: '' }, { version: '0', name: 'x', details: '' }, { version: '1e3', name: 'x', details: '' }]) {
    t.equal((await send(`/projects/${project}/edit`, fields as Record<string, string>)).status, 400)
  }
  for (const back of ['//evil.example', '/\\evil.example', 'https://evil.example', '/x\r\nset-cookie: a=b', 'x', '']) {
    t.equal((await send(`/subtasks/${data.subtasks[0]!.id}/completion`, { complete: 'yes', back })).status, 400, back)
  }
  for (const path of ['/projects/', '/members/', '/audit/', `/projects/${project}/`]) {
    t.equal((await see(`${path}?page=last`)).status, 200, path)
    for (const page of ['Last', 'last2', '0', '', 'last&page=last']) t.equal((await see(`${path}?page=${page}`)).status, 400, `${path} ${page}`)
  }
  for (const query of ['notice=Hello', 'page=0', 'page=x', 'sort=details', 'complete=maybe', 'projectId=x', 'choose=task', 'q=%00', 'more=1']) t.equal((await see(`/subtasks/?${query}`)).status, 400, query)
  t.equal((await see('/projects/?page=2')).status, 404)
  for (const path of ['/projects/x', '/tasks/x', '/subtasks/x/edit', '/members/x']) t.equal((await see(path)).status, 404, path)
  t.equal((await send('/subtasks/x/delete', { version: '1' })).status, 404)
})

t.test('a lost update is noticed, and what was typed is not lost', async t => {
  const { data, see, send } = await scene(t)
  const path = `/projects/${data.projects[0]!.id}/`
  const old = version((await see(`${path}edit`)).body)
  await send(`${path}edit`, { version: old, name: 'First', details: '' })
  const late = await send(`${path}edit`, { version: old, name: 'Second', details: 'mine' })
  t.equal(late.status, 412)
  t.match(late.body, 'role="alert">This was changed in the meantime.')
  t.match(late.body, '<p class="summary">First</p>')
  t.match(late.body, 'value="Second"')
  const refused = await send(`${path}delete`, { version: old })
  t.equal(refused.status, 412)
  t.match(refused.body, 'Is it still to be deleted?')
  leadsTo(t, await send(`${path}edit`, { version: version(late.body), name: 'Second', details: 'mine' }), 'notice=saved')
  t.equal((await send(`${path}delete`, { version: version(refused.body) })).status, 412)
})

t.test('subtasks are filtered, searched and sorted', async t => {
  const { database, data, see } = await scene(t)
  await database.admin`update subtasks set is_complete = false where account_id = 1`
  const [first, second] = data.subtasks
  await database.admin`update subtasks set is_complete = true, name = '100% Öl' where account_id = 1 and id = ${first!.id!}`
  const idsAt = async (query: string) => [...(await see(`/subtasks/?${query}`)).body.matchAll(/<code title="([0-9a-f-]{36})">/g)].map(match => match[1])
  t.same(await idsAt('complete=yes'), [first!.id])
  t.equal((await idsAt('complete=no')).length, 10)
  t.same(await idsAt(`q=${encodeURIComponent('0% öL')}`), [first!.id])
  t.same(await idsAt(`taskId=${second!.taskId}&sort=created`), data.subtasks.map(({ id }) => id).toSorted().slice(0, 10))
  t.same(await idsAt(`projectId=${data.projects[0]!.id}&q=&complete=&sort=-created`), data.subtasks.map(({ id }) => id).toSorted().toReversed().slice(0, 10))
  t.same(await idsAt('q=nowhere'), [])
  const { body } = await see('/subtasks/?q=nowhere&complete=no')
  t.match(body, 'value="nowhere"')
  t.match(body, '<option value="no" selected>')
  t.match((await see('/subtasks/2/?complete=no')).body, 'Page 2 of 2')

  const [project] = data.projects
  t.notMatch(body, project!.id!, 'projects to choose from are not looked for')
  t.match((await see('/subtasks/?q=nowhere&choose=project')).body, `<option value="${project!.id!}">`, 'unless they are asked for')
  t.match((await see(`/subtasks/?q=nowhere&projectId=${project!.id!}`)).body, `<option value="${project!.id!}" selected>`)
})

t.test('members are invited, changed and deactivated', async t => {
  const { database, data, see, send } = await scene(t)
  const invited = await send('/members/', { email: 'New@Example.com', role: 'viewer' })
  t.equal(invited.status, 201)
  const link = /value="(http:\/\/tenant-0\.localhost\/invitations\/[\w-]{43})"/.exec(invited.body)![1]!
  const { body } = await see('/members/')
  t.match(body, 'new@example.com')
  t.notMatch(body, link.slice(-43), 'it is shown once')
  t.equal((await send('/members/', { email: 'owner@example.com', role: 'viewer' })).status, 409)
  t.equal((await send('/members/', { email: 'x', role: 'viewer' })).status, 422)
  t.equal((await send('/members/', { email: 'x@example.com', role: 'king' })).status, 400)
  leadsTo(t, await send(/action="(\/invitations\/.*?\/withdrawal)"/.exec(body)![1]!), '/members/?notice=withdrawn')
  t.match((await see('/members/')).body, 'Nobody is invited')

  const member = `/members/${data.users[0]!.id}/`
  await database.admin`update users set role = 'member' where id = ${data.users[0]!.id!}`
  const old = version((await see(member)).body)
  leadsTo(t, await send(member, { version: old, role: 'viewer', active: 'no' }), '/members/?notice=saved')
  t.match((await see('/members/')).body, '(deactivated)')
  t.equal((await send(member, { version: old, role: 'viewer', active: 'yes' })).status, 412)
  const [me] = await database.admin`select id, version from users where account_id = 1 and email = 'owner@example.com'`
  const last = await send(`/members/${me!.id}/`, { version: String(me!.version), role: 'viewer', active: 'yes' })
  t.equal(last.status, 409)
  t.match(last.body, 'last active owner')
})

t.test('my account: name, sessions, tokens', async t => {
  const { database, site, see, send } = await scene(t)
  const { body } = await see('/me/')
  t.match(body, 'this one')
  leadsTo(t, await send('/me/name', { version: version(body), firstName: 'Ada', lastName: 'Lovelace' }), '/me/?notice=saved')
  t.match((await see('/subtasks/')).body, 'Ada Lovelace</a>')
  t.equal((await send('/me/name', { version: version(body), firstName: 'Ada', lastName: '' })).status, 412)
  t.equal((await send('/me/name', { version: '2', firstName: 'x'.repeat(101), lastName: '' })).status, 422)

  await database.admin`
    insert into sessions (account_id, id, user_id, token_hash, expires_at, address, user_agent)
    select 1, gen_random_uuid(), id, 'h' || n, now() + interval '1 day', '192.0.2.1', '' from users, generate_series(1, 2) n
     where account_id = 1 and email = 'owner@example.com'`
  const [end] = /\/me\/sessions\/[0-9a-f-]{36}\/end/.exec((await see('/me/')).body)!
  leadsTo(t, await send(end), '/me/?notice=session-ended')
  t.equal((await send(end)).status, 404)
  leadsTo(t, await send('/me/sessions/end-others'), '/me/?notice=others-ended')
  t.notMatch((await see('/me/')).body, '192.0.2.1')

  const made = await send('/me/tokens', { name: 'Nightly', scope: 'read', days: '30' })
  t.equal(made.status, 201)
  const [token] = /rowhouse_[\w-]{43}/.exec(made.body)!
  const ask = async () => (await site.get(host, '/api/subtasks', { headers: { authorization: `Bearer ${token}` } })).status
  t.equal(await ask(), 200)
  const mine = (await see('/me/')).body
  t.notMatch(mine, token, 'it is shown once')
  t.equal((await send('/me/tokens', { name: '', scope: 'read', days: '30' })).status, 422)
  leadsTo(t, await send(/action="(\/me\/tokens\/.*?\/revocation)"/.exec(mine)![1]!), '/me/?notice=token-revoked')
  t.equal(await ask(), 401)
})

t.test('the audit trail says who did what, from what to what', async t => {
  const { data, see, send } = await scene(t)
  t.match((await see('/audit/')).body, 'Nothing has been changed yet.')
  await send(`/projects/${data.projects[0]!.id}/edit`, { version: '1', name: 'New <name>', details: '' })
  await send(`/subtasks/${data.subtasks[0]!.id}/delete`, { version: '1' })
  const { body } = await see('/audit/')
  t.match(body, '<ins>New &#60;name&#62;</ins>')
  t.match(body, 'owner@example.com')
  t.ok(body.indexOf('deleted subtask') < body.indexOf('updated project'), 'the newest first')
})

t.test('viewers see no buttons that they may not use, and are refused politely', async t => {
  const { database, data, see, send, become } = await scene(t)
  await become('viewer')
  const [project, task, subtask] = [`/projects/${data.projects[0]!.id}/`, `/tasks/${data.tasks[0]!.id}/`, `/subtasks/${data.subtasks[0]!.id}/`]
  for (const path of ['/subtasks/', '/projects/', project, task, subtask, '/members/']) {
    const { status, body } = await see(path)
    t.equal(status, 200)
    t.same([...body.matchAll(/method="post" action="(.*?)"/g)].map(match => match[1]), ['/sign-out'], path)
    t.notMatch(body, /\/edit"|\/delete"/)
  }
  const before = await database.admin`select (select count(*) from tasks) as tasks, (select count(*) from audit_log) as changes`
  const tries = [
    await see(`${project}edit`), await see(`${task}delete`), await see('/audit/'), await see(`/members/${data.users[0]!.id}/`),
    await send('/projects/', { name: 'x' }), await send('/projects/', { name: '' }), await send(`${project}tasks`, { name: 'x' }),
    await send(`${subtask}completion`, { complete: 'yes', back: '/' }), await send(`${task}delete`, { version: '1' }), await send('/members/', { email: 'a@example.com', role: 'viewer' })
  ]
  for (const { status, body } of tries) {
    t.equal(status, 403)
    t.match(body, '<h1>Not open to you</h1>')
    t.match(body, 'Your role in this account does not allow this.')
  }
  t.same(await database.admin`select (select count(*) from tasks) as tasks, (select count(*) from audit_log) as changes`, before)
  t.match((await see('/me/')).body, 'Change password', 'their own things are theirs')
})
