// Queries that ask for what is not there, or not in one spelling: threats.md, D6 45-58. What sorting and search find is tested in
// work-lists.test.ts; % and _ are signs like others to them.
import t from 'tap'
import { testDatabase } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { type Case, ours, watchedSite } from '../support/watched.ts'
import { request } from '../support/wire.ts'

const asking = (query: string) => request(`GET /api/subtasks?${query} HTTP/1.1`, ours)
const refused = (number: number, query: string): Case => ({ name: `D6 ${number} ${query.slice(0, 40)}`, bytes: asking(query), status: 400, code: 'bad_request' })

const queries: [number: number, ...queries: string[]][] = [
  [45, 'page=0', 'page=00', 'page=-0'],
  [46, 'page=-1'],
  [47, 'page=1.5', 'page=1.0', 'page=1.', 'page=.1', 'page=1,5'],
  [48, 'page=1e9', 'page=1e1', 'page=1E0', 'page=0x10', 'page=0b1', 'page=0o1', 'page=1_0', 'page=1n'],
  [49, 'page=NaN', 'page=Infinity', 'page=null', 'page=true', 'page=x', 'page=%D9%A1', 'page=%EF%BC%91', 'page=%C2%B2'],
  [50, 'page=9007199254740993', 'page=1000000000', `page=${'9'.repeat(400)}`],
  [51, 'page=', 'page', 'page=%20', 'page=+', 'page=+1', 'page=1+', 'page=%2B1', 'page=%201', 'page=1%20', 'page=%091', 'page=1%0a', 'page=1%00', 'page=01'],
  [52, 'page=1&page=2', 'page=1&page=1', 'limit=1&page=1&limit=1'],
  [53, 'page[]=1', 'page[0]=1', 'page[a]=1', 'page.x=1', 'page%5B%5D=1'],
  [54, 'limit=0', 'limit=101', 'limit=1e6', 'limit=1000000', 'limit=-1', 'limit=x', 'limit='],
  [55, 'cursor=x', 'cursor=', `cursor=${'A'.repeat(21)}`, `cursor=${'A'.repeat(4_001)}`, `cursor=${'+'.repeat(40)}`, 'after=x'],
  [56, 'sort=title;drop', 'sort=__proto__', 'order=name'],
  [57, 'q=%00', `q=${'x'.repeat(10 * 1024)}`, 'page=%ff', 'page=%E0%A4%A'],
  [58, 'unknown=1', 'account_id=2', 'accountId=2', 'tenant=tenant-1', 'Page=1', 'page%20=1', '__proto__=1', '__proto__[page]=1', 'constructor=1', 'toString=1', '=1', '%ff=1', 'page=1;limit=1']
]

t.test('queries', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 25)
  const site = await watchedSite(t, database)

  await t.test('refused', t => site.refuses(t, queries.flatMap(([number, ...each]) => each.map(query => refused(number, query)))))

  await t.test('D6 55 a cursor that is not ours', async t => {
    const { next } = JSON.parse((await site.send(asking('limit=3'))).body)
    const bytes = Buffer.from(next, 'base64url')
    const changed = (at: number) => Buffer.from(bytes.map((byte, i) => i === at ? byte ^ 1 : byte)).toString('base64url')
    for (const cursor of ['A'.repeat(60), changed(0), changed(15), changed(16), changed(bytes.length - 1), next.slice(0, -4), next + 'AAAA', `${next}A`]) {
      const { status, code } = await site.send(asking(`cursor=${cursor}`))
      t.same([status, code], [400, 'cursor_invalid'], cursor)
    }
    t.match(await site.send(asking(`cursor=${next}`)), { status: 200 })
    t.match(await site.send(asking(`page=1&cursor=${next}`)), { status: 400, code: 'bad_request' })
  })

  await t.test('in a sentence that names what is wrong', async t => {
    const title = async (query: string) => JSON.parse((await site.send(asking(query))).body).title
    t.equal(await title('page=1e1'), 'In the querystring, page must be integer.')
    t.equal(await title('limit=101'), 'In the querystring, limit must be <= 100.')
    t.equal(await title('unknown=1'), 'The querystring has no parameter "unknown".')
  })

  await t.test('digits are numbers, and what is not said has its default', async t => {
    for (const [query, expected] of [
      ['', { page: 1, limit: 10 }],
      ['&', { page: 1, limit: 10 }],
      ['page=3', { page: 3, limit: 10 }],
      ['page=1&limit=100', { page: 1, limit: 100 }],
      ['limit=1&page=25', { page: 25, limit: 1 }],
      ['p%61ge=%32', { page: 2, limit: 10 }]
    ] as const) {
      const { status, body } = await site.send(asking(query))
      t.match({ status, ...JSON.parse(body) }, { status: 200, total: 25, ...expected }, query)
    }
    const { status, code } = await site.send(asking('page=999999999'))
    t.same([status, code], [404, 'page_not_found'])
  })

  await t.test('the description says so', async t => {
    const { body } = await site.send(request('GET /api/openapi.json HTTP/1.1', ours))
    const { parameters } = JSON.parse(body).paths['/api/subtasks'].get
    const described = new Map(parameters.map((each: { name: string, schema: object }) => [each.name, each.schema]))
    t.same([...described.keys()].toSorted(), ['complete', 'cursor', 'limit', 'page', 'projectId', 'q', 'sort', 'taskId'])
    t.match(described.get('page'), { type: 'integer', minimum: 1, maximum: 999_999_999 })
    t.match(described.get('limit'), { type: 'integer', minimum: 1, maximum: 100, default: 10 })
    t.match(described.get('sort'), { enum: ['name', '-name', 'created', '-created'] })
  })

  await t.test('a page that takes no parameters does not mind them; one that takes some has no others', async t => {
    for (const query of ['page=0', 'q=%ff', '__proto__=1']) {
      t.equal((await site.send(request(`GET /?${query} HTTP/1.1`, ['Host: localhost']))).status, 200, query)
    }
    for (const [query, status] of [['q=%ff', 200], ['page=0', 400], ['__proto__=1', 400], ['sort=details', 400], ['complete=maybe', 400], ['projectId=1', 400]] as const) {
      const { status: is, headers, body } = await site.send(request(`GET /subtasks/?${query} HTTP/1.1`, ours))
      t.equal(is, status, query)
      t.match(headers['content-type'], /^text\/html/)
      if (status === 400) t.match(body, /<p>In the querystring, |has no parameter/, 'in words, on a page')
    }
  })
})
