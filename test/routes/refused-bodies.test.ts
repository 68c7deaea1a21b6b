// Every route that reads JSON, found by asking Fastify, is sent what it must not read: threats.md, D6 59-80. Each is refused with a status
// and a code, before the body has any effect: the account is as it was, and nothing is in its log. Nobody adds a route here.
// How bodies are read at all is tested by bad-bodies.test.ts.
import t from 'tap'
import { testDatabase, A } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { testSite } from '../support/http.ts'
import { parametersOf, requestTo } from '../support/parameters.ts'
import { collectRoutes } from '../support/routes.ts'
import { everythingOf, newRows } from '../support/rows.ts'

interface Schema { readonly type?: string, readonly format?: string, readonly enum?: unknown[], maxLength?: number, maximum?: number }
interface BodySchema { readonly properties: Record<string, Schema>, readonly required?: string[], readonly examples: [Record<string, unknown>] }
interface Bad { name: string, payload: string, status?: number, code?: string, type?: string }

const host = 'tenant-0.localhost'
const jsonText = (value: unknown) => JSON.stringify(value)
const wrong: Record<string, unknown[]> = {
  string: [null, 5, true, ['x'], {}], integer: [null, '5', 1.5, true, [1]], boolean: [null, 'true', 0, 1, [true]]
}

/** @param good what the route would take */
function badBodies ({ properties, required = [] }: BodySchema, good: Record<string, unknown>): Bad[] {
  const refused = (name: string, payload: string) => ({ name, payload })
  const withField = (name: string, field: string, json: string) => refused(name, `${jsonText(good).slice(0, -1)},"${field}":${json}}`)
  return [
    refused('nothing at all', ''),
    ...['null', '[]', '"x"', '5', 'true', '{}', '{', '{"a":1} x', `[${jsonText(good)}]`].map(body => refused(`the body ${body.slice(0, 10)}`, body)),
    ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx'].map(type =>
      ({ name: `as ${type}`, payload: jsonText(good), type, status: 415, code: 'unsupported_media_type' })),
    ...['account_id', 'accountId', 'id', 'version', 'created_at', 'anything', 'constructor', 'toString'].map(field => withField(`with ${field}`, field, '2')),
    withField('with __proto__', '__proto__', '{"role":"owner"}'),
    withField('with __proto__ in disguise', '\\u005f_proto__', '{"role":"owner"}'),
    withField('with constructor.prototype', 'constructor', '{"prototype":{"role":"owner"}}'),
    withField('nested as deep as fits', 'anything', `${'['.repeat(32_000)}${']'.repeat(32_000)}`),
    { name: 'one byte too many', payload: jsonText(good).padEnd(64 * 1024 + 1), status: 413, code: 'body_too_large' },
    ...required.map(field => refused(`without ${field}`, jsonText({ ...good, [field]: undefined }))),
    ...Object.entries(properties).flatMap(([field, schema]) => wrongValues(schema).map(([name, json]) => withField(`${field}: ${name}`, field, json)))
  ]
}

/** What a field must not be, in JSON. */
function wrongValues ({ type = 'string', format, enum: among, maxLength, maximum }: Schema): [name: string, json: string][] {
  const values = wrong[type]!.map(value => [jsonText(value), jsonText(value)] as [string, string])
  if (maximum !== undefined) values.push(['one too high', `${maximum + 1}`], ['too large for any number', '1e400'])
  if (type !== 'string') return values
  values.push(['NUL', '"a\\u0000b"'], ['a lone surrogate', '"a\\ud83db"'], ['the other half', '"\\ude00"'])
  if (among || format) values.push(...(format === 'text' ? [] : [['empty', '""'], ['a space', '" "']] as [string, string][]))
  if (maxLength !== undefined) values.push(['one sign too long', jsonText('👩'.repeat(maxLength + 1))])
  return values
}

t.test('every route that reads JSON refuses what it must not read, and leaves no trace', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 1)
  const registered = collectRoutes(t)
  const site = await testSite(t, database)
  const routes = registered().filter(({ url, schema }) => url.startsWith('/api/') && schema.body)
  t.ok(routes.length >= 10)
  for (const route of routes) {
    const rows = await newRows(admin, A)
    const parameters = parametersOf(route)
    const { path, method } = requestTo(route, parameters, each => each.refersTo ? rows.get(each.refersTo) : each.value)
    const references = parameters.filter(each => each.in === 'body' && each.refersTo).map(({ path, refersTo }) => [path[0]!, rows.get(refersTo!)])
    const schema = route.schema.body as BodySchema
    const example = schema.examples[0]
    const good = { ...example, ...Object.fromEntries(references.filter(([name]) => name! in example)) as object }
    const ask = (payload: string, type = 'application/json') => site.get(host, path, { method, headers: { 'content-type': type }, payload })

    const except = ['sessions', 'api_tokens'] // when each was last used
    const before = await everythingOf(admin, A, ...except)
    for (const { name, payload, type, status = 400, code = 'bad_request' } of badBodies(schema, good)) {
      const reply = await ask(payload, type)
      t.match([reply.status, reply.json().code, reply.json().title], [status, code, /^[A-Z].*\.$/s], `${method} ${route.url}, ${name}: ${reply.json().title}`)
    }
    t.equal(await everythingOf(admin, A, ...except), before, `${method} ${route.url}: nothing is changed, and nothing is in the log`)

    const longest = Object.entries(schema.properties).find(([, { format, maxLength }]) => maxLength !== undefined && ['name', 'text'].includes(format!))
    if (route.url !== '/api/me/password') { // it wants the password that there is, which nobody has
      const whole = longest ? { ...good, [longest[0]]: '👩'.repeat(longest[1].maxLength!) } : good
      t.match((await ask(jsonText(whole))).status, /^20[01]$/, `${method} ${route.url}: but a good one is read, and an emoji is one sign`)
      t.not(await everythingOf(admin, A, ...except), before, `${method} ${route.url}: which can be seen`)
    }
  }
})

t.test('a completion is all that its address says: a body of JSON counts for nothing, and what is none is refused', async t => {
  const database = await testDatabase(t)
  const [data] = await furnish(t, database, 1)
  const site = await testSite(t, database)
  for (const path of [`/api/tasks/${data!.tasks[0]!.id}/completion`, `/api/subtasks/${data!.subtasks[0]!.id}/completion`]) {
    const ask = (method: string, payload: string, type = 'application/json') =>
      site.get(host, path, { method, headers: { 'content-type': type, 'content-length': `${Buffer.byteLength(payload)}` }, payload })
    for (const [method, isComplete] of [['PUT', true], ['DELETE', false]] as const) {
      const reply = await ask(method, jsonText({ isComplete: !isComplete, name: 'x', account_id: 2 }))
      t.match([reply.status, reply.json().isComplete], [200, isComplete], `${method} ${path}`)
      t.not(reply.json().name, 'x')
      t.match([(await ask(method, '{')).json().code, (await ask(method, 'x', 'text/plain')).json().code], ['bad_request', 'unsupported_media_type'])
    }
  }
})
