// Sessions: made at sign-in, ended by signing out, by time, or from another one.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { sessions } from '../db/schema.ts'
import type { Tenant } from '../tenancy/scope.ts'
import { credentialsOf, setCookie } from './credentials.ts'
import { hashOf, newSecret } from './secrets.ts'

const day = 24 * 3_600_000
/** How long a session lasts at the most, and how long unused (ms). */
export const sessionLifetime = 30 * day
export const sessionIdle = 7 * day

/** Opens a session in the browser that makes this request. Its id is new, whatever the browser sent. */
export async function openSession (tenant: Tenant, userId: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const secret = newSecret()
  await tenant.insert(sessions, {
    userId,
    tokenHash: hashOf(secret),
    expiresAt: new Date(Date.now() + sessionLifetime),
    address: request.ip,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, 300)
  })
  setCookie(request, reply, secret, sessionLifetime)
}

/** Ends the session that this browser has had so far, if any: another user's, perhaps. */
export async function endSession (tenant: Tenant, request: FastifyRequest): Promise<void> {
  const before = credentialsOf(request)
  if (before?.kind === 'session') await tenant.delete(sessions, { tokenHash: hashOf(before.secret) })
}

/** The browser forgets it; the row is to be deleted by whoever calls. */
export const forgetSession = (request: FastifyRequest, reply: FastifyReply): void => setCookie(request, reply, '', 0)
