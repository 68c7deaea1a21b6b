// Every tenanted route, asked as it wants to be asked, but by somebody who may not. What is wrong comes back in words.
import { type Role, may, roles } from '../../src/auth/roles.ts'
import { tokenPrefix } from '../../src/auth/credentials.ts'
import { hashOf, newSecret } from '../../src/auth/secrets.ts'
import { A, B, type TestDatabase } from './database.ts'
import type { Reply, Site } from './http.ts'
import { NotCovered, parametersOf, requestTo } from './parameters.ts'
import type { Route } from './routes.ts'
import { everythingOf, newRows } from './rows.ts'
import { asSignedIn } from './signed-in.ts'

interface Stranger {
  readonly who: string
  readonly headers: Record<string, string>
  /** How they are turned away, if not as somebody whom nobody knows. */
  readonly forbidden?: boolean
  /** The routes that are closed to them; all, unless given. */
  readonly closed?: (route: Route) => boolean
}

const fromOurPage = { 'sec-fetch-site': 'same-origin' }
const counted = ['rate_counts', 'sign_in_attempts'] // of those who are refused, too

/** @param hosts of the accounts A and B */
export async function strangerProblems ({ admin }: TestDatabase, site: Site, routes: Route[], hosts: [string, string]): Promise<string[]> {
  const problems: string[] = []
  const closed = routes.filter(({ tenanted, open }) => tenanted && !open)
  const own = await newRows(admin, A)
  const everything = async () => [await everythingOf(admin, A, ...counted), await everythingOf(admin, B, ...counted)].join()
  const every = await strangers()
  let before = await everything()
  for (const stranger of every) {
    const theirs = closed.filter(stranger.closed ?? (() => true))
    for (const route of theirs) await ask(stranger, route)
    if (await isWritten()) {
      problems.push(`${stranger.who}: something was written`) // by whom, the second time tells
      for (const route of theirs) {
        await ask(stranger, route)
        if (await isWritten()) problems.push(`${stranger.who}: ${route.method} ${route.url}: something was written`)
      }
    }
  }
  return problems

  async function ask (stranger: Stranger, route: Route): Promise<void> {
    const complain = (what: string) => problems.push(`${stranger.who}: ${route.method} ${route.url}: ${what}`)
    try {
      const { path, headers, ...asked } = requestTo(route, parametersOf(route), each => each.refersTo ? own.get(each.refersTo) : each.value)
      const reply = await site.get(hosts[0], path, { ...asked, headers: { ...headers, ...stranger.headers } })
      if (!isTurnedAway(reply, stranger)) complain(`answered ${reply.status}`)
      if (/cnry_/.test(reply.body)) complain('told what is the account\'s')
    } catch (error) {
      if (!(error instanceof NotCovered)) throw error
      complain(`not covered: ${error.message}`)
    }
  }

  /** Since it was asked last. */
  async function isWritten (): Promise<boolean> {
    const [earlier, now] = [before, await everything()]
    before = now
    return earlier !== now
  }

  async function strangers (): Promise<Stranger[]> {
    const session = async (state: object = {}, user = 'owner' as Role, active = true) => {
      const secret = newSecret()
      const userId = await userOf(user, active)
      const row = { account_id: A, id: crypto.randomUUID(), user_id: userId, token_hash: hashOf(secret), expires_at: inDays(1), address: '', user_agent: '', ...state }
      await admin`insert into sessions ${admin(row)}`
      return { cookie: `session=${secret}`, ...fromOurPage }
    }
    const token = async (state: object = {}, active = true) => {
      const secret = newSecret()
      const userId = await userOf('owner', active)
      const row = { account_id: A, id: crypto.randomUUID(), user_id: userId, name: 'token', token_hash: hashOf(secret), scope: 'write', expires_at: inDays(1), ...state }
      await admin`insert into api_tokens ${admin(row)}`
      return { authorization: `Bearer ${tokenPrefix}${secret}` }
    }
    const revoked = await session()
    await admin`delete from sessions where token_hash = ${hashOf(revoked.cookie.slice('session='.length))}`
    return [
      { who: 'nobody', headers: { cookie: '', ...fromOurPage } },
      { who: 'a session that never was', headers: { cookie: `session=${newSecret()}`, ...fromOurPage } },
      { who: 'an expired session', headers: await session({ expires_at: inDays(-1) }) },
      { who: 'an idle session', headers: await session({ seen_at: inDays(-8) }) },
      { who: 'a revoked session', headers: revoked },
      { who: 'a deactivated user', headers: await session({}, 'owner', false) },
      { who: 'another account\'s owner', headers: { cookie: asSignedIn(hosts[1]).cookie!, ...fromOurPage } },
      { who: 'an expired token', headers: await token({ expires_at: inDays(-1) }) },
      { who: 'a deactivated user\'s token', headers: await token({}, false) },
      { who: 'a token that only reads', headers: await token({ scope: 'read' }), forbidden: true, closed: route => !may('owner', route.may, 'read') },
      ...await Promise.all(roles.map(async role =>
        ({ who: `a ${role}`, headers: await session({}, role), forbidden: true, closed: (route: Route) => !may(role, route.may) }))),
      { who: 'another site\'s page', headers: { ...await session(), 'sec-fetch-site': 'same-site' }, forbidden: true, closed: ({ method }) => !['GET', 'HEAD'].includes(method) }
    ]
  }

  async function userOf (role: Role, active: boolean): Promise<string> {
    const id = crypto.randomUUID()
    await admin`insert into users (account_id, id, email, first_name, last_name, password_hash, role, is_active)
      values (${A}, ${id}, ${`${id}@example.com`}, 'Some', 'Body', 'none', ${role}, ${active})`
    return id
  }
}

const inDays = (days: number) => new Date(Date.now() + days * 24 * 3_600_000)

/** Whom nobody knows is told to sign in: on a page by being led there. */
function isTurnedAway ({ status, headers }: Reply, { forbidden = false }: Stranger): boolean {
  if (forbidden) return status === 403
  return status === 401 || (status === 303 && /^\/sign-in(\?|$)/.test(headers.location ?? ''))
}
