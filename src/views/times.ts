// Times are shown in UTC: the server does not know where whoever reads them is.
import { html } from 'ghtml'
import type { Html } from './layout.ts'

/** Made with the first call: to load Intl takes a fortieth of a start, and nine megabytes. */
function inUtc (options: Intl.DateTimeFormatOptions): (at: Date) => string {
  let made: Intl.DateTimeFormat | undefined
  return at => (made ??= new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' })).format(at)
}

const dayOf = inUtc({ dateStyle: 'medium' })
const momentOf = inUtc({ dateStyle: 'medium', timeStyle: 'short' })

/** 21 Nov 2026 */
export const day = (at: Date): Html => html`<time datetime="${at.toISOString()}">${dayOf(at)}</time>`

/** 21 Nov 2026, 10:58 UTC */
export const moment = (at: Date): Html => html`<time datetime="${at.toISOString()}">${momentOf(at)} UTC</time>`
