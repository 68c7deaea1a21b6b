// Each role on each route: let in or refused, as the one table of permissions says. Routes and what they take are found by asking Fastify,
// so that a new route is covered without anyone adding it here.
import t from 'tap'
import { v7 } from 'uuid'
import { type Permission, type Role, type Scope, may, roles, scopes } from '../../src/auth/roles.ts'
import { hashOf, newSecret } from '../../src/auth/secrets.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { type Reply, testSite } from '../support/http.ts'
import { addMember } from '../support/members.ts'
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

  /** As somebody new each time: a request may end the session that it is made in. */
  async function ask (route: Route, role: Role, scope?: Scope): Promise<Reply> {
    const { path, headers, ...options } = exampleOf(route)
    const member = await addMember(admin, role)
    const credentials: Record<string, string> = scope ? { authorization: `Bearer rowhouse_${await addToken(member.id, scope)}` } : { cookie: member.cookie, ...fromOurPage }
    return site.get(host, path, { ...options, headers: { ...credentials, ...headers } })
  }

  async function addToken (user: string, scope: Scope): Promise<string> {
    const secret = newSecret()
    await admin`insert into api_tokens (account_id, id, user_id, name, token_hash, scope, expires_at)
      values (1, gen_random_uuid(), ${user}, 'of a test', ${hashOf(secret)}, ${scope}, now() + interval '1 day')`
    return secret
  }

  /** By what it says, not by its status alone: other rules answer 403, too. */
  const refused = ({ status, body }: Reply) => status === 403 && body.includes('Your role in this account does not allow this.')

  for (const route of routes) {
    const { method, url } = route
    const wrong: string[] = []
    for (const role of roles) {
      for (const scope of [undefined, ...scopes]) {
        const reply = await ask(route, role, scope)
        const allowed = route.open || may(role, route.may, scope)
        if (method === 'HEAD' ? (reply.status === 403) === allowed : refused(reply) === allowed) wrong.push(`${role} ${scope ?? 'session'}: ${reply.status}`)
        if (reply.status === 401 || reply.status >= 500) wrong.push(`${role} ${scope ?? 'session'}: ${reply.status} ${reply.body}`)
      }
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
