// What somebody changes of themselves. Their sessions are in sessions.ts, their API tokens in tokens.ts.
import { type Acting, changesOf } from '../audit.ts'
import type { User } from '../auth/admission.ts'
import { type Trying, countAttempt, forgetAttempts } from '../auth/attempts.ts'
import { checkPassword, hashPassword, whyNotPassword } from '../auth/passwords.ts'
import { users } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import type { Tenant } from '../tenancy/scope.ts'
import { endSessions } from './sessions.ts'
import { type Member, type UserChange, memberOf } from './users.ts'

/** Who asks can look something up, and have that over before something slow begins. A request can. */
export interface Apart {
  readonly tenant: Tenant
  withTenant<T> (work: (tenant: Tenant) => Promise<T>, mode?: 'read only'): Promise<T>
}

/** @throws {AppError} precondition_failed if somebody has changed it since that version */
export async function changeMyName (acting: Acting<User>, change: Pick<UserChange, 'firstName' | 'lastName'>, expected?: number): Promise<Member> {
  const { id } = await acting.user()
  return memberOf(await changesOf(acting).update(users, id, change, expected))
}

/**
 * Ends all of their sessions, the one that asks, too. The passwords are hashed before the transaction begins. Wrong ones count like those at
 * sign-in: whoever has found a browser open does not get to try many.
 * @throws {AppError} weak_password; password_wrong; too_many_attempts, too_many_requests: nothing was hashed;
 * precondition_failed if somebody else changes them meanwhile
 */
export async function changePassword (acting: Acting<User> & Trying, current: string, password: string): Promise<Member> {
  const { id, email } = await acting.user()
  const why = whyNotPassword(password, email)
  if (why !== undefined) throw new AppError('weak_password', { message: why })
  const before = await countAttempt(acting, email, tenant => tenant.get(users, { id }))
  const { right } = await checkPassword(current, before?.passwordHash)
  if (!before || !right) throw new AppError('password_wrong')
  const passwordHash = await hashPassword(password)
  const after = await changesOf(acting).update(users, id, { passwordHash }, before.version, 'change-password')
  await endSessions(acting, id)
  await forgetAttempts(acting.tenant, email)
  return memberOf(after)
}
