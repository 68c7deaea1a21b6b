// Pages that show no account's data: the bare domain's, and errors.
import { html } from 'ghtml'
import { type Frame, type Html, layout } from './layout.ts'

export function welcomePage (baseDomain: string): Html {
  return layout({}, {
    title: 'One building, solid walls',
    main: html`<section class="prose"><h1>This is Rowhouse.</h1>
<p>Many accounts live here side by side, each at an address of its own and none able to see into another.
Yours begins with your account's name: <code>your-account.${baseDomain}</code>.</p>
<p>Programs find the API described at <a href="/api/docs">/api/docs</a>.</p></section>`
  })
}

/** @param withStart whether this host has a start page to lead to */
export function errorPage (status: number, message: string, withStart = true, frame: Frame = {}): Html {
  return layout(frame, {
    title: String(status),
    main: html`<section class="prose"><h1>${headings[status] ?? (status < 500 ? 'That did not work' : 'Something went wrong')}</h1>
<p>${message}</p>
!${withStart ? '<p><a href="/">Start page</a></p>' : ''}</section>`
  })
}

const headings: Record<number, string> = {
  403: 'Not open to you',
  404: 'Not found',
  412: 'Changed in the meantime',
  421: 'Not served here',
  429: 'One moment, please',
  503: 'One moment, please'
}
