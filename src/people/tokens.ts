// API tokens: what programs sign in with, in a user's name.
import { desc, eq, placeholder } from 'drizzle-orm'
import { type Acting, changesOf } from '../audit.ts'
import type { User } from '../auth/admission.ts'
import { tokenPrefix } from '../auth/credentials.ts'
import type { Scope } from '../auth/roles.ts'
import { hashOf, newSecret } from '../auth/secrets.ts'
import { apiTokens } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { type Page, type PageOf, type Row, query } from '../tenancy/query.ts'

export type Token = Omit<Row<typeof apiTokens>, 'accountId' | 'userId' | 'tokenHash'>

const { id, name, scope, createdAt, usedAt, expiresAt } = apiTokens
const columns = { id, name, scope, createdAt, usedAt, expiresAt }
const newestFirst = query({ from: apiTokens, columns, where: eq(apiTokens.userId, placeholder('user')), orderBy: [desc(id)] })

/** Of whoever asks. @throws {AppError} cursor_invalid */
export async function listTokens (acting: Acting<User>, page: Page): Promise<PageOf<Token[]>> {
  const me = await acting.user()
  return acting.tenant.page(newestFirst, page, { user: me.id })
}

export const tokenDays = { min: 1, max: 365, default: 90 } as const

/** @returns the token itself as well, which nobody can be told again */
export async function createToken (
  acting: Acting<User>, { name, scope, days = tokenDays.default }: { name: string, scope: Scope, days?: number }
): Promise<Token & { token: string }> {
  const me = await acting.user()
  const secret = newSecret()
  const expiresAt = new Date(Date.now() + days * 24 * 3_600_000)
  const row = await changesOf(acting).insert(apiTokens, { userId: me.id, name, scope, tokenHash: hashOf(secret), expiresAt })
  const { accountId: _, userId: __, tokenHash: ___, ...token } = row
  return { ...token, token: `${tokenPrefix}${secret}` }
}

/** One of whoever asks. @throws {AppError} not_found */
export async function revokeToken (acting: Acting<User>, id: string): Promise<void> {
  const { id: userId } = await acting.user()
  if (!await acting.tenant.exists(apiTokens, { id, userId })) throw new AppError('not_found')
  await changesOf(acting).remove(apiTokens, id, undefined, 'revoke')
}
