import { html } from 'ghtml'
import type { User } from '../auth/admission.ts'
import { may } from '../auth/roles.ts'
import type { Account } from '../tenancy/directory.ts'
import { script, stylesheet } from './assets.ts'
import { postForm } from './forms.ts'
import { type Notice, notices } from './notices.ts'

/**
 * Text that html`` has built, and escaped on the way. Put it into another template with !${...}; anything else with ${...}. Signs that are not
 * Latin letters are written as entities: with one of them in it, each letter of a page takes two bytes until it is sent, and sending twice the time.
 */
export type Html = string

/** What every page of an account has around it. */
export interface Frame {
  readonly account?: Pick<Account, 'name'>
  /** Who is signed in. */
  readonly user?: Pick<User, 'firstName' | 'lastName' | 'email' | 'role'>
  /** What has just been done. */
  readonly notice?: Notice | undefined
}

export interface Page {
  readonly title: string
  /** Which part of the account it belongs to. */
  readonly part?: Part
  readonly main: Html
}

const parts = {
  subtasks: ['/subtasks/', 'Subtasks'],
  projects: ['/projects/', 'Projects'],
  members: ['/members/', 'Members'],
  audit: ['/audit/', 'Audit'],
  api: ['/api/docs', 'API']
} as const
export type Part = keyof typeof parts | 'me'

export function layout ({ account, user, notice }: Frame, { title, part, main }: Page): Html {
  const name = account?.name ?? 'Rowhouse'
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} &middot; ${name}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${stylesheet.path}">
<script src="${script.path}" type="module"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<a class="home" href="/">${name}</a>
!${user ? navigation(user, part) : ''}
</header>
<main id="main">
!${notice ? html`<p class="notice" role="status">${notices[notice]}</p>` : ''}
!${main}
</main>
</body>
</html>
`
}

const navigation = ({ firstName, lastName, email, role }: NonNullable<Frame['user']>, part?: Part): Html => html`<nav aria-label="Main">
!${Object.entries(parts).filter(([name]) => name !== 'audit' || may(role, 'readAudit')).map(([name, [path, label]]) =>
  html`<a href="${path}"!${name === part ? ' aria-current="page"' : ''}>${label}</a> `)}</nav>
<div class="who"><a href="/me/"!${part === 'me' ? ' aria-current="page"' : ''} title="${email}"><span class="unseen">My account: </span>${nameOf({ firstName, lastName, email })}</a>
<span>${role}</span> !${postForm('/sign-out', { label: 'Sign out', look: 'quiet' })}</div>`

/** What to call a person. */
export const nameOf = ({ firstName, lastName, email }: { firstName: string, lastName: string, email: string }): string =>
  `${firstName} ${lastName}`.trim() || email
