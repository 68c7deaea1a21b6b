// Strings that people give: what is let through, what is not and in which words; all lengths in code points.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import t from 'tap'
import { Type } from 'typebox'
import { email, id, name, text } from '../../src/routes/text.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'

const schemas = { text: text(10), name: name({ maxLength: 5 }), email: email(), id: id() }

const echo: FastifyPluginAsyncTypebox = async app => {
  for (const [path, value] of Object.entries(schemas)) {
    app.post(`/echo/${path}`, { schema: { body: Type.Object({ value }, { additionalProperties: false }) } }, async request => request.body)
  }
}

t.test('texts, names, addresses and ids', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 0)
  const site = await testSite(t, database, {}, echo)
  const send = (path: string, value: string) => site.get('tenant-0.localhost', `/api/echo/${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, payload: JSON.stringify({ value })
  })

  const good: [keyof typeof schemas, string][] = [
    ['text', ''], ['text', ' \t\r\n'], ['text', '👩'.repeat(10)], ['text', '\u0001\u007f\u202e\ufffd'], ['text', 'e\u0301\u00e9'],
    ['name', '👩'.repeat(5)], ['name', ' a '], ['name', '<b>'], ['name', '\u202ea'],
    ['email', 'Ann+1@Example.com'], ['id', '0190A4E0-7B1C-7C3D-8E4F-0123456789AB']
  ]
  for (const [path, value] of good) {
    const reply = await send(path, value)
    t.same([reply.status, reply.json()], [200, { value }], shown(value))
  }

  const bad: [keyof typeof schemas, string, RegExp][] = [
    ['text', '👩'.repeat(11), /fewer than 10 characters|NOT have more than 10 characters/],
    ['text', 'a\0', /without NUL/], ['text', '\ud83d', /surrogate/], ['text', '\ude00\ud83d', /surrogate/],
    ['name', '', /fewer than 1 char/], ['name', ' ', /something to read/], ['name', '\u3000\u00a0', /something to read/], ['name', 'a\nb', /one line/],
    ['name', 'a\0', /one line/], ['name', '\ud83d', /one line/], ['name', 'a\u2028', /one line/], ['name', '👩'.repeat(6), /more than 5 characters/],
    ['email', 'ann', /format "email"/], ['email', 'ann@example.com\r\nbcc: eve@example.com', /format "email"/], ['email', `${'a'.repeat(250)}@a.de`, /more than 254/],
    ['email', 'ann@exa\u212aple.com', /format "email"/], ['id', 'urn:uuid:0190a4e0-7b1c-7c3d-8e4f-0123456789ab', /format "uuid"/]
  ]
  for (const [path, value, words] of bad) {
    const reply = await send(path, value)
    const { code, title } = reply.json()
    t.same([reply.status, code], [400, 'bad_request'], shown(value))
    t.match(title, words)
  }
})

/** In ASCII: some of them are ends of lines to the test runner. */
const shown = (value: string) => [...value].map(each => each >= ' ' && each <= '~' ? each : `\\u{${each.codePointAt(0)!.toString(16)}}`).join('')
