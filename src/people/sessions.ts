// Where somebody is signed in, and how that ends.
import { and, desc, eq, ne, placeholder } from 'drizzle-orm'
import { type Acting, changesOf } from '../audit.ts'
import type { User } from '../auth/admission.ts'
import { sessions, users } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { type Page, type PageOf, query } from '../tenancy/query.ts'

export interface Session {
  readonly id: string
  readonly createdAt: Date
  readonly seenAt: Date
  readonly expiresAt: Date
  readonly address: string
  readonly userAgent: string
  /** The one that asks. */
  readonly isThis: boolean
}

const { id, createdAt, seenAt, expiresAt, address, userAgent } = sessions
const columns = { id, createdAt, seenAt, expiresAt, address, userAgent }
const newestFirst = query({ from: sessions, columns, where: eq(sessions.userId, placeholder('user')), orderBy: [desc(id)] })

/** Of whoever asks. @throws {AppError} cursor_invalid */
export async function listSessions (acting: Acting<User>, page: Page): Promise<PageOf<Session[]>> {
  const me = await acting.user()
  const { rows, ...rest } = await acting.tenant.page(newestFirst, page, { user: me.id })
  return { ...rest, rows: rows.map(row => ({ ...row, isThis: row.id === me.session })) }
}

/** One of whoever asks. @throws {AppError} not_found */
export async function endSession (acting: Acting<User>, id: string): Promise<void> {
  const { id: userId } = await acting.user()
  if (!await acting.tenant.exists(sessions, { id, userId })) throw new AppError('not_found')
  await changesOf(acting).remove(sessions, id, undefined, 'end')
}

/** All of somebody's; or of whoever asks, all but the one that asks. */
export async function endSessions (acting: Acting, userId: string, but?: string): Promise<void> {
  const theirs = but === undefined ? { userId } : and(eq(sessions.userId, userId), ne(sessions.id, but))!
  const ended = await acting.tenant.delete(sessions, theirs)
  if (ended > 0) await changesOf(acting).note('end-sessions', users, userId, undefined, { sessions: ended })
}

export async function endOtherSessions (acting: Acting<User>): Promise<void> {
  const me = await acting.user()
  await endSessions(acting, me.id, me.session)
}
