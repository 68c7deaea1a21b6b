// Times are shown in UTC: the server does not know where whoever reads them is.
import { html } from 'ghtml'
import type { Html } from './layout.ts'

/** 21 Nov 2026 */
export const day = (at: Date): Html => html`<time datetime="${at.toISOString()}">${days.format(at)}</time>`

/** 21 Nov 2026, 10:58 UTC */
export const moment = (at: Date): Html => html`<time datetime="${at.toISOString()}">${moments.format(at)} UTC</time>`

const days = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })
const moments = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
