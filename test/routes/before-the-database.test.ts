// What fails before the database takes no slot: threats.md, B21. The door to tenants' data is nailed up here, so whatever knocks gets a 503.
import t from 'tap'
import { Type } from 'typebox'
import { testDatabase } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { ours, watchedSite } from '../support/watched.ts'
import { request } from '../support/wire.ts'

const asking = (line: string, headers = ours, body = '') => request(`${line} HTTP/1.1`, headers, body)
const from = (host: string) => [`Host: ${host}`]
const sized = (body: string, type = 'application/json') => [...ours, `Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`]

/** @param directory whether whose host it is must be asked, of the other door */
interface Group { name: string, directory: boolean, cases: [bytes: string | Buffer, status: number][] }

const groups: Group[] = [
  {
    name: 'a bad host',
    directory: false,
    cases: ['evil.test', 'localhost', 'www.localhost', '-a.localhost', 'a.b.localhost', '127.0.0.1', ''].map(host =>
      [asking('GET /api/subtasks', from(host)), /localhost$/.test(host) ? 404 : 421])
  },
  { name: 'a host of nobody\'s', directory: true, cases: [[asking('GET /api/subtasks', from('nobody.localhost')), 404], [asking('POST /subtasks/', from('nobody.localhost')), 404]] },
  {
    name: 'a bad query, path or body',
    directory: true,
    cases: [
      [asking('GET /api/subtasks?page=x'), 400],
      [asking('GET /api/subtasks?unknown=1'), 400],
      [asking('GET /test/notes/x'), 400],
      [asking('POST /test/notes', sized('{'), '{'), 400],
      [asking('POST /test/notes', sized('{"id":1}'), '{"id":1}'), 400],
      [asking('POST /test/notes', sized('{}', 'text/plain'), '{}'), 415],
      [asking('POST /test/notes', [...ours, 'Content-Type: application/json', 'Content-Length: 65537']), 413]
    ]
  },
  { name: 'another method, on an account\'s host', directory: true, cases: [[asking('PUT /api/subtasks'), 405], [asking('DELETE /subtasks/1'), 405], [asking('TRACE /subtasks'), 405]] },
  { name: 'OPTIONS, on an account\'s host', directory: true, cases: [[asking('OPTIONS /api/subtasks'), 204], [asking('OPTIONS /subtasks'), 204]] },
  { name: 'methods of what is of no tenant', directory: false, cases: [[asking('POST /healthz'), 405], [asking('OPTIONS /readyz'), 204], [asking('CONNECT a:443'), 405]] },
  { name: 'an unknown path', directory: false, cases: [[asking('GET /nothing'), 404], [asking('POST /api/nothing'), 404], [asking('GET /subtasks/0'), 404], [asking('OPTIONS /nothing'), 404]] },
  { name: 'what cannot be read', directory: false, cases: [['GARBAGE\r\n\r\n', 400], [asking('GET /%zz'), 400], [asking('GET /', [...ours, `X: ${'x'.repeat(17_000)}`]), 431]] },
  { name: 'what is of no tenant', directory: false, cases: [[asking('GET /healthz'), 200], [asking('GET /assets/icon.svg'), 200], [asking('GET /api/openapi.json'), 200], [asking('GET /', from('localhost')), 200]] }
]

t.test('no slot', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1)
  const nailedUp = 'postgres://rowhouse_app:x@127.0.0.1:1/nothing'
  const site = await watchedSite(t, database, scope => {
    const params = Type.Object({ id: Type.String({ format: 'uuid' }) })
    scope.get('/notes/:id', { schema: { params } }, async () => ({}))
    scope.post('/notes', { schema: { body: Type.Object({}, { additionalProperties: false }) } }, async () => ({}))
  }, nailedUp)

  for (const { name, directory, cases } of groups) {
    await t.test(name, async t => {
      const before = { ...site.calls }
      for (const [bytes, status] of cases) t.equal((await site.send(bytes)).status, status, bytes.toString().split('\r\n')[0]!.slice(0, 60))
      t.equal(site.calls.tenant, before.tenant, 'no tenant\'s transaction')
      t.equal(site.calls.directory > before.directory, directory, `the directory was ${directory ? '' : 'not '}asked`)
    })
  }

  await t.test('and what does need one knocks', async t => {
    const before = site.calls.tenant
    const { status, code } = await site.send(asking('GET /api/subtasks'))
    t.same([status, code], [503, 'database_unavailable'])
    t.equal(site.calls.tenant, before + 1)
  })
})
