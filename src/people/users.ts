// The people of an account: who they are, what they may do, and that an owner is always left.
import { and, eq, inArray, or } from 'drizzle-orm'
import { type Acting, type Actor, type Changes, changesOf } from '../audit.ts'
import { type Role, mayAssign } from '../auth/roles.ts'
import { apiTokens, users } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { type NewRow, type Page, type PageOf, type Row, query } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'
import { endSessions } from './sessions.ts'

/** Somebody of the account, as others may see them. */
export type Member = Omit<Row<typeof users>, 'accountId' | 'passwordHash'>

const { id, email, firstName, lastName, role, isActive, dateJoined, version } = users
const byEmail = query({ from: users, columns: { id, email, firstName, lastName, role, isActive, dateJoined, version }, orderBy: [email, id] })

/** @throws {AppError} cursor_invalid */
export const listUsers = (tenant: Tenant, page: Page): Promise<PageOf<Member[]>> => tenant.page(byEmail, page)

/** @throws {AppError} not_found */
export async function getUser (tenant: Tenant, id: string): Promise<Member> {
  const row = await tenant.get(users, { id })
  if (!row) throw new AppError('not_found')
  return memberOf(row)
}

/**
 * @param row with the e-mail address in lower case
 * @throws {AppError} email_taken
 */
export async function addUser (changes: Changes, tenant: Tenant, row: NewRow<typeof users>): Promise<Member> {
  await mustBeFree(tenant, row.email)
  return memberOf(await changes.insert(users, row))
}

/** @throws {AppError} email_taken; should two come at once, one of them fails by the unique key: conflict */
export async function mustBeFree (tenant: Tenant, email: string): Promise<void> {
  if (await tenant.exists(users, { email })) throw new AppError('email_taken')
}

/** Who changes users: one of them, or (with no id) a command, which may what an owner may. */
interface Manager extends Actor {
  readonly role: Role
}

export interface UserChange {
  /** In lower case. */
  readonly email?: string
  readonly firstName?: string
  readonly lastName?: string
  readonly role?: Role
  readonly isActive?: boolean
}

/**
 * A new role ends their sessions: what they may is looked at anew. Deactivating ends their API tokens, too.
 * @param expected the version that whoever changes them has seen
 * @throws {AppError} not_found; precondition_failed; owner_only; last_owner; email_taken; try_again
 */
export async function changeUser (acting: Acting<Manager>, id: string, change: UserChange, expected?: number): Promise<Member> {
  const { tenant } = acting
  const { before, owners } = await lockWithOwners(acting, id, change.role)
  const stays = { ...before, ...change }
  if (!isOwner(stays)) mustLeaveAnOwner(owners, id)
  if (change.email !== undefined && change.email !== before.email) await mustBeFree(tenant, change.email)
  const after = await changesOf(acting).update(users, id, change, expected)
  if (after.role !== before.role || (before.isActive && !after.isActive)) await endSessions(acting, id)
  if (before.isActive && !after.isActive) await endTokens(acting, id)
  return memberOf(after)
}

/** With their sessions and API tokens. What they did stays in the log. @throws as changeUser */
export async function removeUser (acting: Acting<Manager>, id: string, expected?: number): Promise<void> {
  const { owners } = await lockWithOwners(acting, id)
  mustLeaveAnOwner(owners, id)
  await changesOf(acting).remove(users, id, expected)
}

/**
 * Ends their sessions and API tokens. The row is changed first: whoever is signing in with the old password holds it, or finds it changed.
 * @throws {AppError} not_found; try_again
 */
export async function resetPassword (acting: Acting, id: string, passwordHash: string): Promise<void> {
  await changesOf(acting).update(users, id, { passwordHash }, undefined, 'reset-password')
  await endSessions(acting, id)
  await endTokens(acting, id)
}

const isOwner = ({ role, isActive }: Pick<Member, 'role' | 'isActive'>) => role === 'owner' && isActive

/**
 * The user whom a change is about, held together with all active owners and with whoever makes it, until the transaction ends: of two who
 * unmake each other, the second finds what the first has left. In one statement and in order, so that no two wait for each other.
 * @throws {AppError} not_found; owner_only; try_again if whoever asks is not what they were a moment ago
 */
async function lockWithOwners (acting: Acting<Manager>, id: string, to?: Role) {
  const me = await acting.user()
  const rows = await acting.tenant.lock(users, or(inArray(users.id, [id, me.id ?? id]), and(eq(users.role, 'owner'), eq(users.isActive, true)))!)
  const now = rows.find(row => row.id === me.id)
  if (me.id !== null && (!now?.isActive || now.role !== me.role)) throw new AppError('try_again')
  const before = rows.find(row => row.id === id)
  if (!before) throw new AppError('not_found')
  if (!mayAssign(me.role, before.role, to ?? before.role)) throw new AppError('owner_only')
  return { before, owners: rows.filter(isOwner) }
}

/** Nobody could ever make one again. */
function mustLeaveAnOwner (owners: readonly Pick<Member, 'id'>[], id: string): void {
  if (owners.length === 1 && owners[0]!.id === id) throw new AppError('last_owner')
}

async function endTokens (acting: Acting, userId: string): Promise<void> {
  const tokens = await acting.tenant.delete(apiTokens, { userId })
  if (tokens > 0) await changesOf(acting).note('revoke-tokens', users, userId, undefined, { tokens })
}

export const memberOf = ({ accountId: _, passwordHash: __, ...member }: Row<typeof users>): Member => member
