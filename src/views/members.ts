import { html } from 'ghtml'
import { type Role, may, mayAssign, roles } from '../auth/roles.ts'
import { type Filled, choice, field, hidden, postForm, wrong } from './forms.ts'
import { type Frame, type Html, layout, nameOf } from './layout.ts'
import { type Paged, morePages } from './pager.ts'
import { tableOf, text } from './table.ts'
import { day } from './times.ts'

export interface Member {
  readonly id: string
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly role: Role
  readonly isActive: boolean
}

export interface Invitation {
  readonly id: string
  readonly email: string
  readonly role: Role
  readonly invitedBy: string
  readonly expiresAt: Date
}

export interface Members {
  readonly members: Paged<Member>
  /** The open ones; for those who may invite. */
  readonly invitations: Paged<Invitation>
}

export function membersPage (frame: Frame, { members, invitations }: Members, filled?: Filled): Html {
  const role = frame.user?.role ?? 'viewer'
  const manages = may(role, 'manageUsers')
  const table = tableOf(['Name', 'E-mail', 'Role', ...manages ? ['Change'] : []], 'Name')
  return layout(frame, {
    title: 'Members',
    part: 'members',
    main: html`<h1>Members</h1>
<p class="summary">Who belongs to this account, and what they may do in it</p>
!${table(members.rows.map(member => memberCells(role, member)))}
!${morePages(members, '/members/')}
!${manages
? html`<h2>Invite somebody</h2>
!${inviteForm(role, filled)}
<h2>Open invitations</h2>
!${invitations.total === 0 ? '<p class="empty">Nobody is invited at the moment.</p>' : invitationTable(invitations.rows.map(invitation => invitationCells(role, invitation)))}`
: ''}`
  })
}

const memberCells = (role: Role, member: Member): Html[] => [
  text(nameOf(member)),
  text(member.email),
  html`${member.role}!${member.isActive ? '' : ' <span class="open">(deactivated)</span>'}`,
  mayAssign(role, member.role, member.role) ? html`<a href="/members/${member.id}/">Change<span class="unseen"> ${nameOf(member)}</span></a>` : ''
]

const invitationTable = tableOf(['E-mail', 'Role', 'Invited by', 'Until', 'Withdraw'], 'E-mail')

const invitationCells = (role: Role, { id, email, role: to, invitedBy, expiresAt }: Invitation): Html[] => [
  text(email),
  text(to),
  text(invitedBy),
  day(expiresAt),
  mayAssign(role, to, to) ? postForm(`/invitations/${id}/withdrawal`, { label: 'Withdraw', look: 'quiet', of: `the invitation of ${email}` }) : ''
]

/** The roles that somebody of this role may give. */
const rolesToGive = (giver: Role) => roles.filter(role => mayAssign(giver, role, role)).map(role => [role, role] as const)

const inviteForm = (role: Role, { values = {}, errors = {} }: Filled = {}): Html => html`<form class="row add" method="post" action="/members/">
!${field({ name: 'email', label: 'E-mail', value: values.email ?? '', error: errors.email, required: true, type: 'email', wide: true })}
!${choice({ name: 'role', label: 'Role', value: values.role ?? 'member', options: rolesToGive(role), error: errors.role })}<button>Invite</button>
</form>
<p class="hint">You get a link to send them. It works once.</p>`

/** The only page that ever shows the link. */
export function invitedPage (frame: Frame, { email, link, expiresAt }: { email: string, link: string, expiresAt: Date }): Html {
  return layout(frame, {
    title: 'Invited',
    part: 'members',
    main: html`<section class="prose"><h1>Send this link to ${email}</h1>
<p>Whoever opens it can join this account, once, until !${day(expiresAt)}. It is not shown again.</p>
!${secret('link', 'Link', link)}
<p><a href="/members/">Back to the members</a></p></section>`
  })
}

export const secret = (name: string, label: string, value: string): Html =>
  html`<div class="field"><label for="${name}">${label}</label><input class="secret" id="${name}" value="${value}" readonly data-copy autocomplete="off" spellcheck="false"></div>`

export interface MemberChange extends Filled {
  readonly member: Member & { readonly version: number }
  readonly refused?: string
}

export function memberPage (frame: Frame, { member, values = {}, errors = {}, refused }: MemberChange): Html {
  const { id, email, role, isActive, version } = member
  return layout(frame, {
    title: nameOf(member),
    part: 'members',
    main: html`<h1>${nameOf(member)}</h1>
<p class="summary">${email}</p>
!${wrong(refused)}
<form method="post" action="/members/${id}/">!${hidden({ version })}
!${choice({ name: 'role', label: 'Role', value: values.role ?? role, options: rolesToGive(frame.user?.role ?? 'viewer'), error: errors.role })}
!${choice({ name: 'active', label: 'May sign in?', value: values.active ?? (isActive ? 'yes' : 'no'), options: [['yes', 'Yes'], ['no', 'No: deactivated']], error: errors.active })}
<p class="hint">A change of the role, or deactivating, signs them out everywhere.</p>
<p class="actions"><button class="first">Save</button> <a href="/members/">Cancel</a></p>
</form>`
  })
}
