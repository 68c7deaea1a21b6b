// The lists of projects, tasks and subtasks: every filter with every order, walked by cursors from end to end.
import t from 'tap'
import { furnish } from '../support/accounts.ts'
import { apiOf } from '../support/api.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'

interface Row { id: string, name: string, isComplete?: boolean }

t.test('lists', async t => {
  const database = await testDatabase(t)
  const [, theirs] = await furnish(t, database, 0, 2)
  const site = await testSite(t, database)
  const api = apiOf(site, 'tenant-0.localhost')
  const make = async (kind: string, body: object) => (await api('POST', `/${kind}`, body)).json<Row>()

  const projects = [(await api('GET', '/projects')).json().projects[0]]
  for (const name of ['Straße', 'beta', '100%']) projects.push(await make('projects', { name }))
  const [first, second] = projects.slice(1) as [Row, Row]
  const tasks = [(await api('GET', '/tasks')).json().tasks[0]]
  for (const [i, name] of ['Beta', 'alpha', 'ÄLPHA', 'a_b', 'alpha'].entries()) tasks.push(await make('tasks', { projectId: (i % 2 ? first : second).id, name }))
  const task = tasks[1]!
  const subtasks = []
  for (const name of ['one', 'two', 'TWO', 'two']) subtasks.push(await make('subtasks', { taskId: task.id, name }))
  subtasks.push(await make('subtasks', { taskId: tasks[2]!.id, name: 'two more' }))
  const done = new Set([...tasks[0].isComplete ? [tasks[0].id] : [], tasks[1]!.id, tasks[4]!.id, subtasks[0]!.id, subtasks[3]!.id])
  for (const row of [tasks[1]!, tasks[4]!]) await api('PUT', `/tasks/${row.id}/completion`)
  for (const row of [subtasks[0]!, subtasks[3]!]) await api('PUT', `/subtasks/${row.id}/completion`)

  type Filter = [query: string, passes: (row: any) => boolean]
  const any: Filter = ['', () => true]
  const named = (q: string): Filter => [`q=${encodeURIComponent(q)}`, row => row.name.toLowerCase().includes(q.toLowerCase())]
  const complete: Filter[] = [['complete=true', row => done.has(row.id)], ['complete=false', row => !done.has(row.id)]]
  const both = ([a, passesA]: Filter, [b, passesB]: Filter): Filter => [`${a}&${b}`, row => passesA(row) && passesB(row)]
  const inFirst: Filter = [`projectId=${first.id}`, row => row.projectId === first.id]
  const ofTask: Filter = [`taskId=${task.id.toUpperCase()}`, row => row.taskId === task.id]
  const ofProject: Filter = [`projectId=${second.id}`, row => row.taskId === task.id]
  const lists: [kind: string, rows: Row[], filters: Filter[]][] = [
    ['projects', projects, [any, named('STRASS'), named('%'), named('nothing'), named('')]],
    ['tasks', tasks, [any, ...complete, inFirst, both(inFirst, complete[0]!), named('älp'), named('a_'), both(inFirst, named('ALPHA'))]],
    ['subtasks', subtasks, [any, ...complete, ofTask, ofProject, both(ofTask, ofProject), both(ofTask, complete[1]!), named('two'), both(ofTask, named('Two'))]]
  ]
  const byteOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
  const rank = new Map((await database.admin<{ id: string, n: number }[]>`
    select id, row_number() over (order by name, id)::int as n from (select id, name from projects union all select id, name from tasks union all select id, name from subtasks) u
  `).map(({ id, n }) => [id, n]))
  const orders: Record<string, (a: Row, b: Row) => number> = {
    '': (a, b) => rank.get(a.id)! - rank.get(b.id)!,
    '&sort=name': (a, b) => rank.get(a.id)! - rank.get(b.id)!,
    '&sort=-name': (a, b) => rank.get(b.id)! - rank.get(a.id)!,
    '&sort=created': (a, b) => byteOrder(a.id, b.id),
    '&sort=-created': (a, b) => byteOrder(b.id, a.id)
  }

  for (const [kind, rows, filters] of lists) {
    await t.test(kind, async t => {
      for (const [filter, passes] of filters) {
        for (const [order, compare] of Object.entries(orders)) {
          const wanted = rows.filter(passes).toSorted(compare).map(({ name }) => name)
          for (const limit of [2, 100]) {
            const seen: Row[] = []
            let next: string | null = ''
            do {
              const query: string = `${filter}${order}&limit=${limit}${next && `&cursor=${next}`}`
              const reply = await api('GET', `/${kind}?${query}`)
              if (reply.status !== 200) throw new Error(`${query}: ${reply.body}`)
              seen.push(...reply.json()[kind])
              next = reply.json().next
            } while (next !== null)
            t.same(seen.map(({ name }) => name), wanted, `${kind} ${filter}${order}, ${limit} a page`)
          }
        }
      }
      const { next } = (await api('GET', `/${kind}?limit=1`)).json()
      for (const other of ['sort=-name', 'sort=created', 'q=t', ...kind === 'projects' ? [] : ['complete=false']]) {
        t.match((await api('GET', `/${kind}?${other}&cursor=${next}`)).json(), { status: 400, code: 'cursor_invalid' }, `its cursor is none with ${other}`)
      }
    })
  }

  await t.test('numbered pages of subtasks count what passes', async t => {
    const at = async (query: string) => (await api('GET', `/subtasks?${query}`)).json()
    t.match(await at('q=two&limit=3'), { page: 1, pages: 2, total: 4, more: false, subtasks: { length: 3 } })
    t.match(await at('q=two&limit=3&page=2'), { page: 2, total: 4, next: null, subtasks: { length: 1 } })
    t.match(await at('q=nothing'), { page: 1, pages: 1, total: 0, subtasks: [] })
    t.match(await at('q=nothing&page=2'), { status: 404, code: 'page_not_found' })
  })

  await t.test('D6 54-58: what is refused', async t => {
    for (const [kind] of lists) {
      for (const query of ['limit=0', 'limit=101', 'limit=1e1', 'limit=', 'sort=id', 'sort=title;drop', 'sort=__proto__', 'sort=', 'sort=name&sort=name', 'q=%00', 'q[]=x',
        'q=a&q=b', `q=${'x'.repeat(501)}`, 'cursor=x', `cursor=${'A'.repeat(60)}`, 'complete=1', 'complete=TRUE', 'complete=', 'projectId=x', 'taskId=', 'account_id=2', 'order=name']) {
        const { status, json } = await api('GET', `/${kind}?${query}`)
        t.same([status, status], [400, json().status], `${kind}?${query.slice(0, 40)}`)
      }
    }
    for (const [path, id] of [['tasks?projectId', theirs!.projects[0]!.id], ['subtasks?projectId', theirs!.projects[0]!.id], ['subtasks?taskId', theirs!.tasks[0]!.id]]) {
      const [foreign, unknown] = [await api('GET', `/${path}=${id}`), await api('GET', `/${path}=00000000-0000-7000-8000-000000000000`)]
      t.same([foreign.status, foreign.body], [404, unknown.body], 'another account\'s is as unknown as nobody\'s')
    }
  })
})
