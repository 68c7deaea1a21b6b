// Signing in: three short transactions, and the hash between them in none. An unknown user, a wrong password, a user who is inactive or of
// another account: the same answer, after the same work.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { changesBy } from '../audit.ts'
import { users } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { countAttempt, forgetAttempts } from './attempts.ts'
import { checkPassword } from './passwords.ts'
import { endSession, openSession } from './sessions.ts'

/**
 * Opens a session for whoever has this e-mail address and this password, in the request's transaction.
 * @param email in lower case
 * @throws {AppError} too_many_attempts, too_many_requests: nothing was hashed; sign_in_failed
 */
export async function signIn (request: FastifyRequest, reply: FastifyReply, email: string, password: string): Promise<void> {
  const found = await countAttempt(request, email, tenant => tenant.get(users, { email }))
  const { right, renewed } = await checkPassword(password, found?.passwordHash)
  if (!found || !right || !found.isActive) throw new AppError('sign_in_failed')

  const { tenant } = request
  const { id, passwordHash } = found
  const [user] = await tenant.lock(users, { id, passwordHash, isActive: true }) // whoever resets the password after this ends our session, too
  if (!user) throw new AppError('sign_in_failed')
  if (renewed !== undefined) await tenant.update(users, { id }, { passwordHash: renewed })
  await endSession(tenant, request)
  await openSession(tenant, id, request, reply)
  await forgetAttempts(tenant, email)
  await changesBy(user, tenant).note('sign-in', users, id, undefined, { address: request.ip })
}
