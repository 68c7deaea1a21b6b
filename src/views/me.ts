import { html } from 'ghtml'
import { type Role, type Scope, may, scopes } from '../auth/roles.ts'
import { type Filled, choice, field, hidden, postForm } from './forms.ts'
import { type Frame, type Html, layout } from './layout.ts'
import { secret } from './members.ts'
import { tableOf, text } from './table.ts'
import { day, moment } from './times.ts'

export interface Me {
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly role: Role
  readonly version: number
  readonly sessions: readonly Session[]
  readonly tokens: readonly Token[]
}

export interface Session {
  readonly id: string
  /** The one that the page is asked with. */
  readonly isThis: boolean
  readonly address: string
  readonly userAgent: string
  readonly seenAt: Date
  readonly createdAt: Date
}

export interface Token {
  readonly id: string
  readonly name: string
  readonly scope: Scope
  readonly expiresAt: Date
  readonly usedAt: Date | null
}

/** Which of the page's forms was filled in. */
export interface FilledMe { readonly name?: Filled, readonly password?: Filled, readonly token?: Filled }

export function mePage (frame: Frame, me: Me, filled: FilledMe = {}): Html {
  return layout(frame, {
    title: 'My account',
    part: 'me',
    main: html`<h1>My account</h1>
<p class="summary">${me.email}, ${me.role}</p>
!${nameForm(me, filled.name)}
!${passwordForm(filled.password)}
!${sessionsOf(me)}
!${tokensOf(me, filled.token)}`
  })
}

const nameForm = (me: Me, { values = {}, errors = {} }: Filled = {}): Html => html`<h2>Name</h2>
<form class="row" method="post" action="/me/name">!${hidden({ version: me.version })}
!${field({ name: 'firstName', label: 'First name', value: values.firstName ?? me.firstName, error: errors.firstName, autocomplete: 'given-name' })}
!${field({ name: 'lastName', label: 'Last name', value: values.lastName ?? me.lastName, error: errors.lastName, autocomplete: 'family-name' })}
<button>Save</button></form>`

const passwordForm = ({ errors = {} }: Filled = {}): Html => html`<h2>Password</h2>
<form method="post" action="/me/password">
!${field({ name: 'current', label: 'Password now', error: errors.current, type: 'password', autocomplete: 'current-password', required: true })}
!${field({ name: 'password', label: 'New password', error: errors.password, type: 'password', autocomplete: 'new-password', required: true, hint: 'The longer, the better. A change signs you out everywhere else.' })}
<p class="actions"><button>Change password</button></p></form>`

const sessionTable = tableOf(['Browser', 'Address', 'Since', 'Last used', 'End'], 'Browser')

const sessionsOf = ({ sessions }: Me): Html => html`<h2>Sessions</h2>
!${sessionTable(sessions.map(({ id, isThis, address, userAgent, seenAt, createdAt }) => [
  text(userAgent || 'Unknown'),
  text(address),
  moment(createdAt),
  moment(seenAt),
  isThis ? '<span class="done">this one</span>' : postForm(`/me/sessions/${id}/end`, { label: 'End', look: 'quiet', of: `the session at ${address}` })
]))}
!${sessions.length > 1 ? html`<div class="under">!${postForm('/me/sessions/end-others', { label: 'Sign out the others' })}</div>` : ''}`

const tokenTable = tableOf(['Name', 'May', 'Until', 'Last used', 'Revoke'], 'Name')

const tokensOf = ({ tokens, role }: Me, { values = {}, errors = {} }: Filled = {}): Html => html`<h2>API tokens</h2>
<p class="hint">What programs sign in with, in your name: <code>Authorization: Bearer &hellip;</code> to <a href="/api/docs">the API</a></p>
!${tokens.length === 0
  ? '<p class="empty">You have none.</p>'
  : tokenTable(tokens.map(({ id, name, scope, expiresAt, usedAt }) => [
    text(name),
    text(scope),
    day(expiresAt),
    usedAt ? moment(usedAt) : 'never',
    postForm(`/me/tokens/${id}/revocation`, { label: 'Revoke', look: 'quiet', of: name })
  ]))}
<h3>New token</h3>
<form class="row add" method="post" action="/me/tokens">
!${field({ name: 'name', form: 'token', label: 'Name', value: values.name ?? '', error: errors.name, required: true, wide: true })}
!${choice({ name: 'scope', label: 'May', value: values.scope ?? 'read', options: scopes.filter(scope => may(role, scope)).map(scope => [scope, scope]), error: errors.scope })}
!${choice({ name: 'days', label: 'For', value: values.days ?? '90', options: [['30', '30 days'], ['90', '90 days'], ['365', 'a year']], error: errors.days })}
<button>Make</button></form>`

/** The only page that ever shows it. */
export function tokenPage (frame: Frame, { name, token, expiresAt }: { name: string, token: string, expiresAt: Date }): Html {
  return layout(frame, {
    title: 'Token made',
    part: 'me',
    main: html`<section class="prose"><h1>Keep this token</h1>
<p>It is the token &ldquo;${name}&rdquo;, good until !${day(expiresAt)}. It is not shown again.</p>
!${secret('token', 'Token', token)}
<p><a href="/me/">Back to my account</a></p></section>`
  })
}
