// Each role on each route: let in or refused, as the one table of permissions says. Routes and what they take are found by asking Fastify,
// so that a new route is covered without anyone adding it here.
import t from 'tap'
import { v7 } from 'uuid'
import { tokenPrefix } from '../../src/auth/credentials.ts'
import { type Permission, may, roles, scopes } from '../../src/auth/roles.ts'
import { hashOf, newSecret } from '../../src/auth/secrets.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { type Reply, testSite } from '../support/http.ts'
import { fromOurPage } from '../support/people.ts'
import { type Asked, parametersOf, requestTo } from '../support/parameters.ts'
import { type Route, collectRoutes } from '../support/routes.ts'

const host = 'tenant-0.localhost'

/** What must take more than reading or writing. Said a second time, so that a route that names the wrong permission is seen. */
const sensitive: [address: RegExp, permission: Permission][] = [
  [/^GET (\/api)?\/audit$/, 'readAudit'],
  [/^(POST|PUT|PATCH|DELETE) \/api\/users\b/, 'manageUsers'],
  [/^(GET|POST|DELETE) \/api\/invitations(\/:id)?$/, 'manageUsers'],
  [/^POST \/members\b/, 'manageUsers'],
  [/^POST \/invitations\/:id\/withdrawal$/, 'manageUsers'],
  [/^(POST|PUT|PATCH|DELETE) (\/api)?\/(me|tokens)\b/, 'manageSelf']
]

t.test('roles and scopes, on every tenanted route', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 1)
  const collected = collectRoutes(t)
  const site = await testSite(t, database)
  const routes = collected().filter(({ tenanted }) => tenanted)

  /** Somebody new for each request, as it may end the session that it is made in. */
  const kinds = roles.flatMap(role => [undefined, ...scopes].map(scope => ({ role, scope })))
  const askers = routes.flatMap(route => kinds.map(kind => ({ route, ...kind, id: v7(), secret: newSecret() })))
  const shared = { account_id: 1, expires_at: new Date(Date.now() + 86_400_000) }
  const person = { account_id: 1, first_name: 'Some', last_name: 'Body', password_hash: 'none' }
  await admin`insert into users ${admin(askers.map(({ id, role }) => ({ ...person, id, role, email: `${id}@example.com` })))}`
  await admin`insert into sessions ${admin(askers.filter(({ scope }) => !scope)
    .map(({ id, secret }) => ({ ...shared, id, user_id: id, token_hash: hashOf(secret), address: '192.0.2.7', user_agent: 'Browser' })))}`
  await admin`insert into api_tokens ${admin(askers.filter(({ scope }) => scope)
    .map(({ id, secret, scope }) => ({ ...shared, id, user_id: id, token_hash: hashOf(secret), name: 'of a test', scope: scope! })))}`

  async function ask ({ route, scope, secret }: typeof askers[0]): Promise<Reply> {
    const { path, headers, ...options } = exampleOf(route)
    const credentials: Record<string, string> = scope ? { authorization: `Bearer ${tokenPrefix}${secret}` } : { cookie: `session=${secret}`, ...fromOurPage }
    return site.get(host, path, { ...options, headers: { ...credentials, ...headers } })
  }

  /** By what it says, not by its status alone: other rules answer 403, too. */
  const refused = ({ status, body }: Reply) => status === 403 && body.includes('Your role in this account does not allow this.')

  for (const route of routes) {
    const { method, url } = route
    const wrong: string[] = []
    for (const asker of askers.filter(each => each.route === route)) {
      const { role, scope = 'session' } = asker
      const reply = await ask(asker)
      const allowed = route.open || may(role, route.may, asker.scope)
      if (method === 'HEAD' ? (reply.status === 403) === allowed : refused(reply) === allowed) wrong.push(`${role} ${scope}: ${reply.status}`)
      if (reply.status === 401 || reply.status >= 500) wrong.push(`${role} ${scope}: ${reply.status} ${reply.body}`)
    }
    const { path, headers, ...options } = exampleOf(route)
    const nobody = await site.get(host, path, { ...options, headers: { cookie: '', ...fromOurPage, ...headers } })
    if (!route.open && nobody.status !== (url.startsWith('/api/') ? 401 : 303)) wrong.push(`nobody: ${nobody.status}`)
    t.same(wrong, [], `${method} ${url}`)
  }
  t.ok(routes.length > 20)
  for (const [address, permission] of sensitive) {
    const meant = routes.filter(({ method, url }) => address.test(`${method} ${url}`))
    t.ok(meant.length > 0, `${address}`)
    for (const { method, url, open, may } of meant) t.same([open, may], [false, permission], `${method} ${url} takes ${permission}`)
  }
})

/** A request that is as the route wants it, about rows that are not there; to a page, it is a form. */
function exampleOf (route: Route): Asked {
  const asked = requestTo(route, parametersOf(route), ({ refersTo, value }) => refersTo ? v7() : value)
  if (asked.payload === undefined || route.url.startsWith('/api/') || route.schema.consumes) return asked
  const payload = new URLSearchParams(JSON.parse(asked.payload) as Record<string, string>).toString()
  return { ...asked, payload, headers: { 'content-type': 'application/x-www-form-urlencoded' } }
}
