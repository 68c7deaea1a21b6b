import { html } from 'ghtml'
import type { Role } from '../auth/roles.ts'
import type { Account } from '../tenancy/directory.ts'
import { type Html, layout } from './layout.ts'

export interface InvitationForm {
  readonly email: string
  readonly role: Role
  /** As they were given, to be put right. */
  readonly firstName?: string
  readonly lastName?: string
  readonly problem?: string
  /** Which field is to blame. */
  readonly field?: 'firstName' | 'lastName' | 'password'
}

/** Posts to its own address, which is the secret; so that is nowhere in it. */
export function invitationPage (account: Account, { email, role, firstName = '', lastName = '', problem, field = 'firstName' }: InvitationForm): Html {
  const state = (name: string) => name !== field ? '' : problem === undefined ? ' autofocus' : ' autofocus aria-invalid="true" aria-describedby="problem"'
  return layout({ account }, {
    title: 'Join',
    main: html`<section class="prose card"><h1>Join ${account.name}</h1>
<p class="summary">You are invited as ${role === 'owner' || role === 'admin' ? 'an' : 'a'} ${role}, and will sign in as ${email}.</p>
!${problem === undefined ? '' : html`<p class="error" id="problem" role="alert">${problem}</p>`}
<form method="post">
<label for="firstName">First name</label>
<input id="firstName" name="firstName" value="${firstName}" autocomplete="given-name" required!${state('firstName')}>
<label for="lastName">Last name</label>
<input id="lastName" name="lastName" value="${lastName}" autocomplete="family-name" required!${state('lastName')}>
<label for="password">Password, 8 characters or more</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required!${state('password')}>
<p><button class="first">Join</button></p>
</form></section>`
  })
}
