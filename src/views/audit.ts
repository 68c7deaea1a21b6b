import { html } from 'ghtml'
import { type Frame, type Html, layout } from './layout.ts'
import { type Paged, morePages } from './pager.ts'
import { tableOf, text } from './table.ts'
import { moment } from './times.ts'

type Values = Readonly<Record<string, unknown>>

export interface AuditRow {
  readonly at: Date
  readonly actor: string
  readonly action: string
  readonly entity: string
  readonly entityId: string
  readonly before: Values | null
  readonly after: Values | null
}

export function auditPage (frame: Frame, entries: Paged<AuditRow>): Html {
  return layout(frame, {
    title: 'Audit',
    part: 'audit',
    main: html`<h1>Audit</h1>
<p class="summary">Every change, newest first</p>
!${entries.total === 0
  ? '<p class="empty">Nothing has been changed yet.</p>'
  : table(entries.rows.map(cellsOf))}
!${morePages(entries, '/audit/')}`
  })
}

const table = tableOf(['When', 'Who', 'What', 'Changed'], 'What')

const cellsOf = (entry: AuditRow): Html[] => [
  moment(entry.at),
  text(entry.actor),
  html`${past(entry.action)} ${singular(entry.entity)} <code title="${entry.entityId}">&hellip;${entry.entityId.slice(-8)}</code>`,
  html`<div>!${changes(entry).map(([name, before, after]) => html`<div>${name}: !${from(before)}!${before && after ? ' &rarr; ' : ''}!${to(after)}</div>`)}</div>`
]

const from = (value?: string): Html => value === undefined ? '' : html`<del>${value}</del>`
const to = (value?: string): Html => value === undefined ? '' : html`<ins>${value}</ins>`

/** api_tokens: API token */
const singular = (entity: string) => entity.replaceAll('_', ' ').replace(/s$/, '').replace(/^api/, 'API')

/** What does not say anything to a person; or what the log's own moment says. */
const unsaid = ['id', 'version', 'createdAt', 'seenAt']

/** What differs between before and after, as text; all there was of what is gone, and all there is of what is new. */
export function changes ({ before, after }: Pick<AuditRow, 'before' | 'after'>): [name: string, before?: string, after?: string][] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter(name => !unsaid.includes(name) && !/Id$/.test(name))
  return names
    .map((name): [string, string?, string?] => [words(name), said(before?.[name]), said(after?.[name])])
    .filter(([, from, to]) => from !== to)
}

/** As the log has it, in the past: create, sign-in */
const past = (action: string) => pasts[action] ?? (action.endsWith('e') ? `${action}d` : `${action}ed`)
const pasts: Readonly<Record<string, string>> = {
  'sign-in': 'signed in', 'sign-out': 'signed out', withdraw: 'withdrew', 'end-sessions': 'ended the sessions of', 'revoke-tokens': 'revoked the API tokens of'
}

const words = (name: string) => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)

function said (value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
