// Bodies that cannot be read, or not in one way only: threats.md, D6 59-80. What routes make of their text is tested with them.
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { Type } from 'typebox'
import { testDatabase } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { type Case, ours, watchedSite } from '../support/watched.ts'
import { request } from '../support/wire.ts'

const note = Type.Object({
  title: Type.Optional(Type.String({ minLength: 1, maxLength: 10 })),
  number: Type.Optional(Type.Integer({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1 })),
  done: Type.Optional(Type.Boolean()),
  parts: Type.Optional(Type.Array(Type.Integer()))
}, { additionalProperties: false })

const line = 'POST /test/notes HTTP/1.1'
const json = 'Content-Type: application/json'
const good = '{"number":1}'
const chunks = `c\r\n${good}\r\n0\r\n\r\n`
const sized = (body: string | Buffer, headers = [json]) => request(line, [...ours, ...headers, `Content-Length: ${Buffer.byteLength(body)}`], body)

const badRequest = (name: string, bytes: string | Buffer): Case => ({ name, bytes, status: 400, code: 'bad_request' })
const unsupported = (name: string, bytes: string | Buffer): Case => ({ name, bytes, status: 415, code: 'unsupported_media_type' })
const tooLarge = (name: string, bytes: string | Buffer): Case => ({ name, bytes, status: 413, code: 'body_too_large' })

t.test('bodies', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1)
  const site = await watchedSite(t, database, scope => {
    scope.post('/notes', { schema: { body: note } }, async ({ body }) => body)
    scope.post('/anything', async ({ body }) => body)
  })
  const reads = async (name: string, bytes: string | Buffer, expected: unknown) => {
    const { status, body } = await site.send(bytes)
    t.same([status, JSON.parse(body)], [200, expected], name)
  }

  await t.test('JSON that is none, or not what was asked for', t => site.refuses(t, [
    badRequest('D6 59 empty', sized('')),
    badRequest('D6 59 none at all', request(line, ours)),
    badRequest('D6 60 null', sized('null')),
    badRequest('D6 61 a list', sized('[]')),
    badRequest('D6 62 text', sized('"x"')),
    badRequest('D6 63 truncated', sized('{"number":')),
    badRequest('D6 64 trailing junk', sized('{} x')),
    badRequest('D6 65 two BOMs', sized(`\ufeff\ufeff${good}`)),
    badRequest('D6 67 __proto__', sized('{"__proto__":{"admin":true}}')),
    badRequest('D6 67 __proto__ in disguise', sized('{"\\u005f_proto__":{"admin":true}}')),
    badRequest('D6 67 constructor.prototype', sized('{"constructor":{"prototype":{"admin":true}}}')),
    ...['{"__proto__":{}}', '{"a":[{"__proto__":1}]}', '{"\\u005f_proto__":1}', '{"constructor":{"prototype":{}}}'].map(body =>
      badRequest(`D6 67 ${body}, where anything goes`, request('POST /test/anything HTTP/1.1', [...ours, json, `Content-Length: ${body.length}`], body))),
    badRequest('D6 67 constructor alone', sized('{"constructor":1}')),
    ...['account_id', 'accountId', 'id', 'created_at'].map(name => badRequest(`D6 68 ${name}`, sized(JSON.stringify({ [name]: 1 })))),
    ...['null', '5', '["x"]', '{}', 'true'].map(value => badRequest(`D6 69 text that is ${value}`, sized(`{"title":${value}}`))),
    badRequest('D6 73 nested 400 deep', sized('['.repeat(400) + ']'.repeat(400))),
    badRequest('D6 73 nested as deep as the limit lets it', sized(`{"parts":${'['.repeat(32_000)}${']'.repeat(32_000)}}`)),
    ...['1e400', '-1e400', '9223372036854775808', '2147483648', '1.5', '"1"', '"0x1"', 'true', '[1]', '0x1', '01', '+1', 'NaN'].map(value =>
      badRequest(`D6 79 number ${value}`, sized(`{"number":${value}}`))),
    ...['"true"', '"false"', '1', '0', '""', 'null'].map(value => badRequest(`D6 80 boolean ${value}`, sized(`{"done":${value}}`))),
    badRequest('D6 80 a value for a list of one', sized('{"parts":1}')),
    badRequest('bad UTF-8', sized(Buffer.from([...Buffer.from('{"title":"'), 0xff, ...Buffer.from('"}')]))),
    badRequest('overlong UTF-8', sized(Buffer.from([...Buffer.from('{"title":"'), 0xc0, 0xaf, ...Buffer.from('"}')]))),
    badRequest('a surrogate in UTF-8', sized(Buffer.from([...Buffer.from('{"title":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')])))
  ]))

  await t.test('sizes and framing', t => site.refuses(t, [
    tooLarge('D6 74 64 KiB and one byte', sized(`{"title":"${'x'.repeat(64 * 1024 + 1 - 12)}"}`)),
    tooLarge('D6 74 the same in chunks', request(line, [...ours, json, 'Transfer-Encoding: chunked'], `10001\r\n${' '.repeat(0x10001)}\r\n0\r\n\r\n`)),
    tooLarge('D6 74 a promise of a gigabyte', request(line, [...ours, json, 'Content-Length: 1073741824'])),
    tooLarge('D6 74 in what follows the size of a chunk', request(line, [...ours, json, 'Transfer-Encoding: chunked'], `c;${'x'.repeat(20_000)}\r\n`)),
    badRequest('D6 75 Content-Length too short', request(line, [...ours, json, 'Content-Length: 5'], good)),
    { ...badRequest('D6 75 too long', request(line, [...ours, json, 'Content-Length: 50'], good)), cut: true },
    ...['-12', '+12', '0xc', '12, 12', '12 12', '1e1', ''].map(value =>
      badRequest(`D6 75 Content-Length: ${value}`, request(line, [...ours, json, `Content-Length: ${value}`], good))),
    badRequest('D6 75 two Content-Lengths', request(line, [...ours, json, 'Content-Length: 12', 'Content-Length: 13'], good)),
    badRequest('D6 75 two that agree', request(line, [...ours, json, 'Content-Length: 12', 'Content-Length: 12'], good)),
    badRequest('D6 75 Content-Length, then chunked', request(line, [...ours, json, 'Content-Length: 12', 'Transfer-Encoding: chunked'], chunks)),
    badRequest('D6 75 chunked, then Content-Length', request(line, [...ours, json, 'Transfer-Encoding: chunked', 'Content-Length: 12'], chunks)),
    ...['xchunked', 'identity', 'gzip, chunked', 'chunked, identity', 'chunked, chunked', 'chunked;q=1'].map(value =>
      badRequest(`D6 75 Transfer-Encoding: ${value}`, request(line, [...ours, json, `Transfer-Encoding: ${value}`], chunks))),
    badRequest('D6 75 two Transfer-Encodings', request(line, [...ours, json, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], chunks)),
    badRequest('D6 75 a space before the colon', request(line, [...ours, json, 'Transfer-Encoding : chunked'], chunks)),
    badRequest('D6 75 chunked in HTTP/1.0', request('POST /test/notes HTTP/1.0', [...ours, json, 'Transfer-Encoding: chunked'], chunks)),
    badRequest('D6 75 a chunk of no size', request(line, [...ours, json, 'Transfer-Encoding: chunked'], `zz\r\n${good}\r\n0\r\n\r\n`)),
    badRequest('D6 75 a chunk longer than it says', request(line, [...ours, json, 'Transfer-Encoding: chunked'], `5\r\n${good}\r\n0\r\n\r\n`)),
    { ...badRequest('D6 75 chunks without an end', request(line, [...ours, json, 'Transfer-Encoding: chunked'], `c\r\n${good}\r\n`)), cut: true }
  ]))

  await t.test('what is smuggled in a refused body is not served', async t => {
    const second = `GET /api/subtasks HTTP/1.1\r\n${ours.join('\r\n')}\r\n\r\n`
    for (const [name, headers] of [
      ['D6 75 CL.TE', ['Content-Length: 4', 'Transfer-Encoding: chunked']],
      ['D6 75 TE.CL', ['Transfer-Encoding: chunked', 'Content-Length: 4']],
      ['D6 75 TE.TE', ['Transfer-Encoding: chunked', 'Transfer-Encoding: x']],
      ['D6 75 CL.CL', ['Content-Length: 0', 'Content-Length: 5']]
    ] as const) {
      const before = site.calls.tenant
      const { text } = await site.send([line, ...ours, json, ...headers, '', `0\r\n\r\n${second}`].join('\r\n'))
      t.same([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(match => match[1]), ['400'], name)
      t.equal(site.calls.tenant, before, name)
    }
  })

  await t.test('content types and encodings', t => site.refuses(t, [
    ...['gzip', 'br', 'deflate', 'x', 'gzip, identity', ''].map(value =>
      unsupported(`D6 76 Content-Encoding: ${value}`, sized(value === 'gzip' ? gzipSync(good) : good, [json, `Content-Encoding: ${value}`]))),
    unsupported('D6 76 a bomb', sized(gzipSync(Buffer.alloc(10_000_000)), [json, 'Content-Encoding: gzip'])),
    ...[
      'application/json\ta', 'application/json garbage', 'application/json;garbage', 'Application/JSON ;charset=x', 'application/jsonx', 'application/json, text/plain',
      'application/json; charset=utf-8; charset=utf-16', 'application', 'json', '/', '', 'text/plain', 'text/json', 'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x', 'application/problem+json'
    ].map(type => unsupported(`D6 77 Content-Type: ${JSON.stringify(type)}`, sized(good, [`Content-Type: ${type}`]))),
    unsupported('D6 77 missing', sized(good, [])),
    ...['utf-16', 'utf-16le', 'latin1', 'utf-7', '"utf-8', 'utf-8x'].map(charset => unsupported(`D6 78 ${charset}`, sized(good, [`${json}; charset=${charset}`])))
  ]))

  await t.test('and what is well is read as it is', async () => {
    await reads('an object', sized(good), { number: 1 })
    await reads('D6 65 a BOM, which is no part of the text', sized(`\ufeff${good}`), { number: 1 })
    await reads('D6 66 a key twice: the last one counts', sized('{"number":1,"number":2}'), { number: 2 })
    await reads('D6 74 64 KiB', sized(`${good}${' '.repeat(64 * 1024 - good.length)}`), { number: 1 })
    await reads('D6 75 chunked', request(line, [...ours, json, 'Transfer-Encoding: chunked'], chunks), { number: 1 })
    await reads('D6 76 identity', sized(good, [json, 'Content-Encoding: identity']), { number: 1 })
    for (const type of [' application/json', 'Application/JSON', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'application/json ; charset=UTF-8 ']) {
      await reads(`D6 77 ${JSON.stringify(type)}`, sized(good, [`Content-Type: ${type}`]), { number: 1 })
    }
    await reads('D6 79 -0', sized('{"number":-0}'), { number: 0 })
    await reads('D6 79 1.0 and 1e0 are 1 in JSON', sized('{"number":1.0,"parts":[1e0]}'), { number: 1, parts: [1] })
    await reads('D6 91 Expect: 100-continue', sized(good, [json, 'Expect: 100-continue']), { number: 1 })
  })
})
