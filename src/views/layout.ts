import { html } from 'ghtml'
import { stylesheet } from './style.ts'

/** Text that html`` has built, and escaped on the way. Put it into another template with !${...}; anything else with ${...}. */
export type Html = string

export interface Page {
  readonly title: string
  /** The name of the account whose page this is. */
  readonly account?: string
  /** Nobody is signed in, so there is nowhere to go. */
  readonly signedOut?: boolean
  readonly main: Html
}

export function layout ({ title, account, signedOut = account === undefined, main }: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${account ?? 'Rowhouse'}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${stylesheet.path}">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<a class="home" href="/">${account ?? 'Rowhouse'}</a>
!${signedOut ? '' : navigation}
</header>
<main id="main">
!${main}
</main>
</body>
</html>
`
}

const navigation = `<nav aria-label="Main"><a href="/subtasks/">Subtasks</a> <a href="/api/docs">API</a></nav>
<form method="post" action="/sign-out"><button class="plain">Sign out</button></form>`
