import { html } from 'ghtml'
import type { Account } from '../tenancy/directory.ts'
import { type Html, layout } from './layout.ts'

export interface SignInForm {
  /** As it was given, to be put right. */
  readonly email?: string
  /** Where to go then. */
  readonly next?: string
  readonly problem?: string
  /** Which field is to blame; both, unless said. */
  readonly field?: 'email' | 'password'
}

export function signInPage (account: Account, { email = '', next = '', problem, field }: SignInForm): Html {
  const blamed = (name: 'email' | 'password') =>
    problem === undefined || (field !== undefined && field !== name) ? '' : ' aria-invalid="true" aria-describedby="problem"'
  const first = field === 'password' ? 'password' : 'email'
  const focus = (name: string) => name === first ? ' autofocus' : ''
  return layout({ account }, {
    title: 'Sign in',
    main: html`<section class="prose card"><h1>Sign in</h1>
<p class="summary">to ${account.name}</p>
!${problem === undefined ? '' : html`<p class="error" id="problem" role="alert">${problem}</p>`}
<form method="post" action="/sign-in">
!${next === '' ? '' : html`<input type="hidden" name="next" value="${next}">`}
<div class="field"><label for="email">E-mail address</label>
<input id="email" name="email" type="email" value="${email}" autocomplete="username" maxlength="254" required!${blamed('email')}!${focus('email')}></div>
<div class="field"><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required!${blamed('password')}!${focus('password')}></div>
<button class="first">Sign in</button>
</form></section>`
  })
}
