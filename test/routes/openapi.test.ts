// What /api/openapi.json says: a valid description that leaves nothing out, and whose examples are what it describes.
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { scopes, may } from '../../src/auth/roles.ts'
import { formats } from '../../src/routes/input.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { type Reply, testSite } from '../support/http.ts'
import { type Route, collectRoutes } from '../support/routes.ts'

interface Media { schema: object, example?: unknown, examples?: Record<string, { value: unknown }> }
interface Operation {
  summary?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  parameters?: { name: string, in: string, required?: boolean }[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description?: string, content?: Record<string, Media> }>
}

const ajv = new Ajv2020({ allErrors: true, strict: false })
addFormats.default(ajv)
for (const [name, { passes }] of Object.entries(formats)) ajv.addFormat(name, passes)

const host = 'tenant-0.localhost'

t.test('the description of the API', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1)
  const registered = collectRoutes(t)
  const site = await testSite(t, database, {}, async scope => {
    scope.get('/open', { config: { open: true }, schema: { summary: 'Open', tags: ['test'] } }, async () => ({}))
  })
  const reply = await site.get(host, '/api/openapi.json', { headers: { cookie: '' } })
  const document = reply.json()
  const other = /^\/api\/(docs|openapi.json$|open$)/
  const routes = registered().filter(({ url, method }) => method !== 'HEAD' && url.startsWith('/api/') && !other.test(url))
  const operations = new Map(routes.map(route => [route, document.paths[route.url.replace(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()] as Operation | undefined]))

  await t.test('is OpenAPI 3.1', async t => {
    const validator = new Validator()
    t.same(await validator.validate(document), { valid: true })
    t.equal(validator.version, '3.1')
    t.match(reply.headers['content-type'], 'application/json')
  })

  await t.test('has every route, with its summary, tags, problems and examples', async t => {
    t.ok(routes.length > 30)
    for (const [{ method, url, schema }, operation] of operations) {
      const where = `${method} ${url}`
      t.match(operation, { summary: /^\S.*[^.]$/, tags: [/\S/], responses: { '4XX': {}, '5XX': {} } }, where)
      const { requestBody, responses } = operation!
      t.ok(Object.keys(responses).some(status => /^2\d\d$/.test(status)), `${where} says what it answers`)
      t.equal(requestBody !== undefined, schema.body !== undefined, `${where}: its body`)
      for (const [part, { content = {} }] of Object.entries({ ...requestBody && { body: requestBody }, ...responses })) {
        t.equal(Object.keys(content).length, /^(204|304)$/.test(part) ? 0 : 1, `${where} ${part}`)
        for (const [type, media] of Object.entries(content)) {
          t.equal(type, /^[45]XX$/.test(part) ? 'application/problem+json' : 'application/json', `${where} ${part}`)
          const examples = examplesOf(media)
          t.ok(examples.length > 0, `${where} ${part} has an example`)
          for (const example of examples) t.ok(ajv.validate(strictly(media.schema), example), `${where} ${part}: ${ajv.errorsText()}`)
          for (const { status } of /XX$/.test(part) ? examples as { status: number }[] : []) t.equal(`${status}`[0], part[0], `${where} ${part}`)
        }
      }
    }
  })

  await t.test('says what each route takes: a session, or an API token unless it is for people only', async t => {
    t.match(document.components.securitySchemes, { session: { type: 'apiKey', in: 'cookie', name: '__Host-session' }, token: { type: 'http', scheme: 'bearer' } })
    const taken = (route: Route) => scopes.some(scope => may('owner', route.may, scope)) ? [{ session: [] }, { token: [] }] : [{ session: [] }]
    for (const [route, operation] of operations) t.same(operation?.security, taken(route), `${route.method} ${route.url}`)
    t.same(document.paths['/api/open'].get.security, [], 'and nothing of who asks what is open')
    const sessionOnly = routes.filter(route => taken(route).length === 1).map(({ method, url }) => `${method} ${url}`)
    t.ok(sessionOnly.includes('POST /api/tokens'))
    t.notOk(sessionOnly.includes('POST /api/tasks'))
  })

  await t.test('says where an Idempotency-Key counts', async t => {
    for (const [{ method, url }, operation] of operations) {
      const named = operation?.parameters?.find(({ name }) => name === 'idempotency-key')
      t.match([named?.in, named?.required], method === 'POST' ? ['header', false] : [undefined, undefined], `${method} ${url}`)
    }
  })

  await t.test('and its page loads with all that it names, signed in or not, and may ask us', async t => {
    for (const headers of [{}, { cookie: '' }] as Record<string, string>[]) {
      const page = await site.get(host, '/api/docs/', { headers })
      t.equal(page.status, 200)
      t.match(policyOf(page), /script-src 'self';.* connect-src 'self'/)
      t.notMatch(page.body, /<script(?![^>]* src=)|https?:\/\//, 'nothing stands in the page, or comes from elsewhere')
      const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => new URL(path!, `http://${host}/api/docs/`).pathname)
      t.ok(assets.length > 3)
      for (const path of assets) t.equal((await site.get(host, path, { headers })).status, 200, path)
    }
    t.equal((await site.get(host, '/api/openapi.json')).body, reply.body, 'the description is the same for everyone')
  })
})

const policyOf = ({ headers }: Reply) => String(headers['content-security-policy'])

const examplesOf = ({ example, examples = {}, schema }: Media): unknown[] => [
  ...example === undefined ? [] : [example],
  ...Object.values(examples).map(({ value }) => value), ...(schema as { examples?: unknown[] }).examples ?? []
]

/** An example names nothing that the schema does not. */
function strictly (schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_name, value) =>
    value?.type === 'object' && value.properties ? { additionalProperties: false, ...value } : value)
}
