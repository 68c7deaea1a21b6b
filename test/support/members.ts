// Users of every role, signed in, and what they ask the API.
import type postgres from 'postgres'
import type { Role } from '../../src/auth/roles.ts'
import { hashOf, newSecret } from '../../src/auth/secrets.ts'
import type { Reply, Site } from './http.ts'
import { addUser, fromOurPage } from './people.ts'

export interface Member {
  readonly id: string
  readonly email: string
  /** What their browser sends. */
  readonly cookie: string
}

let n = 0

/** A user with a session; a password they have only where a test gives them one. */
export async function addMember (admin: postgres.Sql, role: Role = 'member', { account = 1, password }: { account?: number, password?: string } = {}): Promise<Member> {
  const email = `${role}-${++n}@example.com`
  const id = await addUser(admin, account, { email, role, password: password ?? '', ...password === undefined && { passwordHash: 'none' } })
  return { id, email, cookie: await addSession(admin, id, account) }
}

/** Another browser. */
export async function addSession (admin: postgres.Sql, user: string, account = 1): Promise<string> {
  const secret = newSecret()
  await admin`
    insert into sessions (account_id, id, user_id, token_hash, expires_at, address, user_agent)
    values (${account}, gen_random_uuid(), ${user}, ${hashOf(secret)}, now() + interval '1 day', '192.0.2.7', 'Browser')`
  return `session=${secret}`
}

export type Ask = (method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<Reply>

/** @param who a member, or the API token itself */
export function asking (site: Site, who: Pick<Member, 'cookie'> | string, host = 'tenant-0.localhost'): Ask {
  const credentials: Record<string, string> = typeof who === 'string' ? { authorization: `Bearer ${who}` } : { cookie: who.cookie, ...fromOurPage }
  return (method, path, body, headers = {}) => site.get(host, `/api${path}`, {
    method,
    headers: { ...credentials, ...body && { 'content-type': 'application/json' }, ...headers },
    ...body && { payload: JSON.stringify(body) }
  })
}

/** Status and code of a reply. */
export const answer = (reply: Reply): [number, string?] => reply.status < 400 ? [reply.status] : [reply.status, reply.json().code]
