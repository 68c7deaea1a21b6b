// Invitations: links with which somebody becomes a user of the account, once. Only who was given the link has its secret; we know its hash.
import { desc, isNull } from 'drizzle-orm'
import { type Acting, changesBy, changesOf } from '../audit.ts'
import type { User } from '../auth/admission.ts'
import { hashPassword, whyNotPassword } from '../auth/passwords.ts'
import { type Role, mayAssign } from '../auth/roles.ts'
import { hashOf, isSecret, newSecret } from '../auth/secrets.ts'
import { invitations } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { type Page, type PageOf, type Row, query } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'
import type { Apart } from './me.ts'
import { type Member, addUser, mustBeFree } from './users.ts'

export type Invitation = Omit<Row<typeof invitations>, 'accountId' | 'tokenHash' | 'acceptedAt'>

const lifetime = 7 * 24 * 3_600_000 // ms

const { id, email, role, invitedBy, createdAt, expiresAt } = invitations
const columns = { id, email, role, invitedBy, createdAt, expiresAt }
const open = query({ from: invitations, columns, where: isNull(invitations.acceptedAt), orderBy: [desc(id)] })

/** Those that nobody has accepted, also if it is too late for that. @throws {AppError} cursor_invalid */
export const listInvitations = (tenant: Tenant, page: Page): Promise<PageOf<Invitation[]>> => tenant.page(open, page)

/**
 * Takes the place of an earlier one to the same address.
 * @param to whom, in lower case, and as what
 * @returns the secret as well, which nobody can be told again
 * @throws {AppError} owner_only; email_taken
 */
export async function invite (acting: Acting<User>, { email, role }: { email: string, role: Role }): Promise<Invitation & { secret: string }> {
  const { tenant } = acting
  const me = await acting.user()
  if (!mayAssign(me.role, role, role)) throw new AppError('owner_only')
  await mustBeFree(tenant, email)
  const earlier = await tenant.get(invitations, { email, acceptedAt: null })
  if (earlier) await withdraw(acting, earlier.id)
  const secret = newSecret()
  const row = { email, role, tokenHash: hashOf(secret), invitedBy: me.email, expiresAt: new Date(Date.now() + lifetime) }
  return { ...invitationOf(await changesOf(acting).insert(invitations, row)), secret }
}

/** @throws {AppError} not_found; owner_only if it is to become an owner */
export async function withdraw (acting: Acting<User>, id: string): Promise<void> {
  const found = await acting.tenant.get(invitations, { id, acceptedAt: null })
  if (!found) throw new AppError('not_found')
  const me = await acting.user()
  if (!mayAssign(me.role, found.role, found.role)) throw new AppError('owner_only')
  await changesOf(acting).remove(invitations, id, undefined, 'withdraw')
}

/** @throws {AppError} not_found: nobody is told whether it was ever there */
export async function findInvitation (tenant: Tenant, secret: string): Promise<Invitation> {
  const found = isSecret(secret) ? await tenant.get(invitations, { tokenHash: hashOf(secret), acceptedAt: null }) : undefined
  if (!found || found.expiresAt.getTime() <= Date.now()) throw noInvitation()
  return invitationOf(found)
}

export interface Newcomer {
  readonly firstName: string
  readonly lastName: string
  readonly password: string
}

/**
 * Makes whoever has the link a user. Their password is hashed between two transactions, and only for a link that is good.
 * @throws {AppError} not_found; weak_password; email_taken; too_many_requests
 */
export async function accept (coming: Apart, secret: string, { firstName, lastName, password }: Newcomer): Promise<Member> {
  const invitation = await coming.withTenant(tenant => findInvitation(tenant, secret), 'read only')
  const { id, email, role, invitedBy } = invitation
  const why = whyNotPassword(password, email)
  if (why !== undefined) throw new AppError('weak_password', { message: why })
  const passwordHash = await hashPassword(password)
  const { tenant } = coming
  const [accepted] = await tenant.update(invitations, { id, acceptedAt: null }, { acceptedAt: new Date() }) // of two at once, the second finds none
  if (!accepted) throw noInvitation()
  const changes = changesBy({ id: null, email: `an invitation by ${invitedBy}` }, tenant)
  await changes.note('accept', invitations, id, invitation, accepted)
  return addUser(changes, tenant, { email, role, firstName, lastName, passwordHash })
}

const noInvitation = () => new AppError('not_found', { message: 'This invitation has been used or withdrawn, or is too old, or never was. Ask for a new one.' })

const invitationOf = ({ accountId: _, tokenHash: __, acceptedAt: ___, ...invitation }: Row<typeof invitations>): Invitation => invitation
