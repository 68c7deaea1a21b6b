// Who is asking, and may they? Every tenanted route is closed unless it says otherwise: reading takes the permission to read, anything
// else the one to write, or what its config names. The session is looked up in the request's own transaction, together with whatever
// the route asks: neither waits for the other, and nothing is kept or leaves before both have been answered (tenancy/request.ts).
import { and, eq, gt, placeholder } from 'drizzle-orm'
import type { FastifyRequest } from 'fastify'
import { apiTokens, sessions, users } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { innerJoin, query } from '../tenancy/query.ts'
import { type Admit, isRead } from '../tenancy/request.ts'
import { type Credentials, credentialsOf, mustBeOurOwn } from './credentials.ts'
import type { Rates } from './rates.ts'
import { type Permission, type Role, type Scope, may } from './roles.ts'
import { hashOf } from './secrets.ts'
import { noteUse } from './seen.ts'
import { sessionIdle } from './sessions.ts'

/** Who asks. */
export interface User {
  readonly id: string
  readonly email: string
  readonly firstName: string
  readonly lastName: string
  readonly role: Role
  /** The row that let them in. */
  readonly session?: string
  readonly token?: string
  /** Of the API token, if it is one. */
  readonly scope?: Scope
  /** When that row was last marked as used. */
  readonly seenAt: Date | null
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What this route takes; unless given, `read` for GET and HEAD, and `write` for the rest. */
    may?: Permission
    /**
     * Who asks is looked up in a transaction of its own, which is over before the route runs: for what is slow, so that no connection waits
     * for it. No Idempotency-Key counts here, since what is slow has a password in it, of which no trace is kept.
     */
    admitFirst?: true
    /** Its reply shows a secret, of which no trace is kept: to repeat the request is answered by shown_once. */
    showsSecret?: true
    /** Open to whoever knows the address: nobody is looked up. */
    open?: true
  }
}

const user = { id: users.id, email: users.email, firstName: users.firstName, lastName: users.lastName, role: users.role }

const bySession = query({
  from: sessions,
  joins: [innerJoin(users, eq(users.id, sessions.userId))],
  columns: { ...user, session: sessions.id, seenAt: sessions.seenAt },
  where: and(
    eq(sessions.tokenHash, placeholder('hash')),
    gt(sessions.expiresAt, placeholder('now')),
    gt(sessions.seenAt, placeholder('idle since')),
    eq(users.isActive, true)
  )
})

const byToken = query({
  from: apiTokens,
  joins: [innerJoin(users, eq(users.id, apiTokens.userId))],
  columns: { ...user, token: apiTokens.id, seenAt: apiTokens.usedAt, scope: apiTokens.scope },
  where: and(eq(apiTokens.tokenHash, placeholder('hash')), gt(apiTokens.expiresAt, placeholder('now')), eq(users.isActive, true))
})

/**
 * Makes what asks who it is, without waiting; nothing where nobody has to be anyone.
 * It throws {AppError} unauthenticated if the request does not even say; cookie_repeated; cross_site; too_many_requests
 */
export const admission = (rates: Pick<Rates, 'mustBeFew' | 'count'>): Admit => request => {
  const { open, may: wanted = isRead(request) ? 'read' : 'write' } = request.routeOptions.config
  if (open) {
    mustBeOurOwn(request)
    return undefined
  }
  const credentials = credentialsOf(request)
  if (!credentials) throw new AppError('unauthenticated')
  const hash = hashOf(credentials.secret)
  const account = request.account.id
  rates.mustBeFew(account, hash)
  return userOf(request, credentials.kind, hash, wanted).then(user => {
    rates.count(account, hash)
    noteUse(request, user)
    return user
  })
}

/** Whether whoever opens a page that is open to everyone is signed in. */
export async function isSignedIn (request: FastifyRequest): Promise<boolean> {
  const credentials = credentialsOf(request)
  if (!credentials) return false
  return userOf(request, credentials.kind, hashOf(credentials.secret), 'read').then(() => true, (error: unknown) => {
    if (error instanceof AppError && error.code === 'unauthenticated') return false
    throw error
  })
}

async function userOf ({ tenant }: FastifyRequest, kind: Credentials['kind'], hash: string, wanted: Permission): Promise<User> {
  const values = { hash, ...moments() }
  const [found]: User[] = await (kind === 'session' ? tenant.select(bySession, values) : tenant.select(byToken, values))
  if (!found) throw new AppError('unauthenticated')
  if (!may(found.role, wanted, found.scope)) throw new AppError('forbidden')
  return found
}

let written = { at: NaN, now: '', 'idle since': '' }

/** To the second, and written once for each: it would take as long as all else that is done here. */
function moments () {
  const at = Math.floor(Date.now() / 1_000) * 1_000
  if (at !== written.at) written = { at, now: new Date(at).toISOString(), 'idle since': new Date(at - sessionIdle).toISOString() }
  return written
}
