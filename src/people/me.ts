// What somebody changes of themselves. Their sessions are in sessions.ts, their API tokens in tokens.ts.
import { type Acting, changesOf } from '../audit.ts'
import type { User } from '../auth/admission.ts'
import { users } from '../db/schema.ts'
import { type Member, type UserChange, memberOf } from './users.ts'

/** @throws {AppError} precondition_failed if somebody has changed it since that version */
export async function changeMyName (acting: Acting<User>, change: Pick<UserChange, 'firstName' | 'lastName'>, expected?: number): Promise<Member> {
  const { id } = await acting.user()
  return memberOf(await changesOf(acting).update(users, id, change, expected))
}
