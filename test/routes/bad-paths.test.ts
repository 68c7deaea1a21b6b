// Addresses, methods, ids, headers and lines that are not as they should be: threats.md, D6 81-91.
import t from 'tap'
import { Type } from 'typebox'
import { projects } from '../../src/db/schema.ts'
import { AppError } from '../../src/errors.ts'
import { testDatabase } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { type Case, ours, watchedSite } from '../support/watched.ts'
import { request } from '../support/wire.ts'

const get = (path: string, headers: string[] = []) => request(`GET ${path} HTTP/1.1`, [...ours, ...headers])
const to = (name: string, path: string, status: number, code?: string): Case => ({ name, bytes: get(path), status, code: code! })
const badRequest = (name: string, bytes: string | Buffer, cut = false): Case => ({ name, bytes, status: 400, code: 'bad_request', cut })

t.test('paths', async t => {
  const database = await testDatabase(t)
  const [mine, theirs] = await furnish(t, database, 1, 1)
  const site = await watchedSite(t, database, scope => {
    scope.get('/projects/:id', { schema: { params: Type.Object({ id: Type.String({ format: 'uuid' }) }) } }, async ({ tenant, params }) => {
      const project = await tenant.get(projects, { id: (params as { id: string }).id })
      if (!project) throw new AppError('not_found')
      return { name: project.name }
    })
    scope.get('/numbers/:number', { schema: { params: Type.Object({ number: Type.Integer({ minimum: 1 }) }) } }, async ({ params }) => params)
  })

  await t.test('ids that are well formed, and nobody\'s or another\'s', async t => {
    const own = mine!.projects[0]!
    for (const id of [own.id!, own.id!.toUpperCase()]) {
      const { status, body } = await site.send(get(`/test/projects/${id}`))
      t.same([status, JSON.parse(body)], [200, { name: own.name }], `D6 84 ${id}`)
    }
    const answers = []
    for (const [name, id] of [
      ['D6 81 another account\'s', theirs!.projects[0]!.id!],
      ['D6 82 nil', '00000000-0000-0000-0000-000000000000'],
      ['nobody\'s', 'ffffffff-ffff-7fff-bfff-ffffffffffff']
    ] as const) {
      const { status, code, body } = await site.send(get(`/test/projects/${id}`))
      t.same([status, code], [404, 'not_found'], name)
      answers.push(body)
    }
    t.equal(new Set(answers).size, 1, 'D6 81 nothing tells one from the other')
  })

  await t.test('ids that are none', t => site.refuses(t, [
    ...['x', '1', 'urn:uuid:00000000-0000-0000-0000-000000000000', '{00000000-0000-0000-0000-000000000000}', '0'.repeat(32), 'g0000000-0000-0000-0000-000000000000',
      '00000000-0000-0000-0000-00000000000', '00000000-0000-0000-0000-0000000000000', '00000000-0000-0000-0000-000000000000%0a', '%00', '%e2%80%ae',
      "'%20or%201=1", '..%2fprojects', '__proto__', 'null', 'undefined'
    ].map(id => to(`D6 83 ${id}`, `/test/projects/${id}`, 400, 'bad_request')),
    ...['0x1', '1e1', '+1', '1.0', '01', '-1', '0', '%201'].map(number => to(`D6 83 number ${number}`, `/test/numbers/${number}`, 400, 'bad_request'))
  ]))

  await t.test('paths that lead nowhere, and are not tidied up until they do', t => site.refuses(t, [
    ...['/../subtasks', '/subtasks/../subtasks', '/%2e%2e/subtasks', '/subtasks/%2e%2e', '/./subtasks', '//subtasks', '/subtasks//', '/subtasks//1', '/subtasks;x',
      '/subtasks/;x', '/subtasks%2f', '/subtasks%2F1', '/subtasks\\1', '/SUBTASKS', '/subtasks/%00', '/subtasks%00', '/subtasks/1%0a', '/subtasks/%EF%BC%91', '/subtasks/1/2',
      '/subtasks/1.json', '/.env', '/.git/config', '/constructor', '/__proto__', '/%252e%252e/subtasks'
    ].map(path => to(`D6 85 ${path}`, path, 404)),
    ...['/api/../subtasks', '/api//subtasks', '/api/subtasks/x/y', '/api/subtasks;x', '/api/docs/static/%2e%2e%2findex.js'].map(path =>
      to(`D6 85 ${path}`, path, 404, 'not_found')),
    to('D6 85 out of a folder of files', '/api/docs/static/../../openapi.json', 403, 'bad_request'),
    ...['/%', '/subtasks/%zz', '/%c0%af', '/%ff'].map(path => to(`D6 85 ${path}`, path, 400)),
    to('D6 85 /api/%zz', '/api/%zz', 400, 'bad_request'),
    badRequest('D6 85 no slash', get('subtasks')),
    badRequest('D6 85 a space', get('/sub tasks')),
    badRequest('D6 85 bytes above ASCII', get('/subtasks/\u00e9')),
    to('D6 86 5 KiB', `/${'x'.repeat(5 * 1024)}`, 404),
    to('D6 86 5 KiB of slashes', '/'.repeat(5 * 1024), 404),
    to('D6 86 5 KiB of %25', `/${'%25'.repeat(1700)}`, 404),
    to('D6 86 5 KiB where a number should be', `/subtasks/${'1'.repeat(5 * 1024)}`, 414),
    to('D6 86 17 KiB', `/${'x'.repeat(17 * 1024)}`, 431, 'headers_too_large')
  ]))

  await t.test('methods', async t => {
    const allow = 'GET, HEAD, OPTIONS'
    const asked = (method: string, path: string, headers = ours) => request(`${method} ${path} HTTP/1.1`, headers)
    const others = ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'MKCOL', 'M-SEARCH', 'QUERY', 'SOURCE', 'LINK', 'PURGE']
    await site.refuses(t, [
      ...others.flatMap(method => [
        { name: `D6 87 ${method} of a page`, bytes: asked(method, '/subtasks/2/'), status: 405, allow },
        { name: `D6 87 ${method} of the API`, bytes: asked(method, '/api/projects/x/progress'), status: 405, code: 'method_not_allowed', allow },
        { name: `D6 87 ${method} of what is not there`, bytes: asked(method, '/api/nothing'), status: 404, code: 'not_found' }
      ]),
      ...['/', '/healthz', '/readyz', '/assets/icon.svg'].map(path => ({ name: `D6 87 POST ${path}`, bytes: asked('POST', path), status: 405, allow })),
      { name: 'D6 87 POST of the description', bytes: asked('POST', '/api/openapi.json'), status: 405, code: 'method_not_allowed', allow },
      ...['/subtasks/', 'tenant-0.localhost:443', '*'].map(path => ({ name: `D6 87 CONNECT ${path}`, bytes: asked('CONNECT', path), status: 405, code: 'method_not_allowed', allow: '' })),
      ...['GARBAGE', 'get', 'GETT', '', 'G\0T'].map(method => badRequest(`D6 87 ${JSON.stringify(method)}`, asked(method, '/subtasks/'))),
      { name: 'D6 87 before the body is read', bytes: request('POST /api/projects/x/progress HTTP/1.1', [...ours, 'Content-Type: x', 'Content-Length: 2'], '{x'), status: 405, code: 'method_not_allowed', allow },
      { name: 'D6 87 however long it is', bytes: request('POST /api/projects/x/progress HTTP/1.1', [...ours, 'Content-Length: 999999999']), status: 405, code: 'method_not_allowed', allow },
      // the host before the method, as everywhere
      ...['POST', 'OPTIONS', 'TRACE'].flatMap(method => [
        ...['/api/subtasks', '/test/projects/x'].flatMap(path => [
          { name: `${method} ${path}, nobody's host`, bytes: asked(method, path, ['Host: nobody.localhost']), status: 404, code: 'account_not_found' },
          { name: `${method} ${path}, bare domain`, bytes: asked(method, path, ['Host: localhost']), status: 404, code: 'account_not_found' },
          { name: `${method} ${path}, not our host`, bytes: asked(method, path, ['Host: evil.test']), status: 421, code: 'host_not_served' }
        ]),
        { name: `${method} /, nobody's host`, bytes: asked(method, '/', ['Host: nobody.localhost']), status: 404 },
        { name: `${method} /, not our host`, bytes: asked(method, '/', ['Host: evil.test']), status: 421 }
      ]),
      { name: 'POST /, bare domain', bytes: asked('POST', '/', ['Host: localhost']), status: 405, allow },
      { name: 'POST /healthz, any host', bytes: asked('POST', '/healthz', ['Host: 10.0.0.1']), status: 405, allow }
    ])

    for (const path of ['/', '/subtasks/', '/subtasks/1', '/api/projects/x/progress', '/healthz', '/assets/icon.svg', '/api/openapi.json', '/test/projects/x', '*']) {
      const { status, headers, body } = await site.send(request(`OPTIONS ${path} HTTP/1.1`, [...ours, 'Origin: http://tenant-1.localhost', 'Access-Control-Request-Method: GET']))
      t.same([status, headers.allow, body], [204, allow, ''], `D6 88 OPTIONS ${path}`)
      t.same(Object.keys(headers).filter(name => name.startsWith('access-control-')), [], 'and nothing that would let another origin in')
    }
    for (const path of ['/', '/subtasks/', '/api/subtasks', '/healthz', '/assets/icon.svg', '/api/openapi.json', '/api/nothing', '/nothing', '/api/subtasks?page=0']) {
      const [head, whole] = [await site.send(asked('HEAD', path)), await site.send(asked('GET', path))]
      t.same([head.status, head.body, head.headers['content-type']], [whole.status, '', whole.headers['content-type']], `D6 88 HEAD ${path}`)
    }
  })

  await t.test('headers and lines', t => site.refuses(t, [
    { name: 'D6 89 a header of 16 KiB', bytes: get('/api/subtasks', [`X: ${'x'.repeat(16 * 1024)}`]), status: 431, code: 'headers_too_large' },
    { name: 'D6 89 many that make 16 KiB', bytes: get('/api/subtasks', Array.from({ length: 400 }, (_, i) => `X-${i}: ${'x'.repeat(40)}`)), status: 431, code: 'headers_too_large' },
    { name: 'D6 90 HTTP/0.9', bytes: 'GET /api/subtasks\r\n\r\n', status: 400, code: 'bad_request' },
    ...['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3.7', 'http/1.1', 'HTTP/1', 'HTTP/11', 'HTTPS/1.1', 'HTTP/1.1 x', 'ICE/1.0'].map(version =>
      badRequest(`D6 90 ${version}`, request(`GET /api/subtasks ${version}`, ours))),
    badRequest('D6 90 TLS', Buffer.from('16030100f1010000ed0303', 'hex'), true),
    badRequest('D6 90 HTTP/2 at once', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    badRequest('D6 90 obs-fold', get('/api/subtasks', ['X: a\r\n b'])),
    badRequest('D6 90 bare LF', `GET /api/subtasks HTTP/1.1\n${ours[0]}\n\n`),
    badRequest('D6 90 bare CR', get('/api/subtasks', ['X: a\rb'])),
    badRequest('D6 90 NUL', get('/api/subtasks', ['X: a\0b'])),
    badRequest('D6 90 DEL in a name', get('/api/subtasks', ['X\x7f: a'])),
    badRequest('D6 90 a space in a name', get('/api/subtasks', ['X y: a'])),
    badRequest('D6 90 no name', get('/api/subtasks', [': a'])),
    badRequest('D6 90 no colon', get('/api/subtasks', ['X'])),
    badRequest('D6 90 half a request', `GET /api/subtasks HTTP/1.1\r\n${ours[0]}\r\n`, true),
    { name: 'D6 91 Expect: something else', bytes: get('/api/subtasks', ['Expect: tea']), status: 417 }
  ]))

  await t.test('what is odd, but allowed', async t => {
    for (const [name, headers] of [
      ['D6 89 100 headers', Array.from({ length: 100 }, (_, i) => `X-${i}: x`)],
      ['D6 90 a protocol to change to', ['Upgrade: websocket']]
    ] as const) t.equal((await site.send(get('/api/subtasks', [...headers]))).status, 200, name)
    const before = site.calls.tenant
    const { text } = await site.send(`GET /healthz HTTP/1.1\r\n${ours[0]}\r\n\r\nGARBAGE\r\n\r\n`)
    t.match(text, /^HTTP\/1\.1 (200|400) /, 'D6 90 garbage after a request')
    t.equal(text.includes('HTTP/1.1 400 '), true, 'is refused for itself')
    t.equal(site.calls.tenant, before)
  })
})
