import { html } from 'ghtml'
import type { Account } from '../tenancy/directory.ts'
import { type Html, layout } from './layout.ts'

export interface SubtaskRow {
  readonly id: string
  readonly account: string
  readonly project: string
  readonly task: string
  readonly name: string
  readonly isComplete: boolean
  readonly details: string
}

/** One page of a listing. Pages are counted from 1; an empty listing has one. */
export interface Listing {
  readonly page: number
  readonly pages: number
  readonly total: number
  /** Whether there are more pages, and subtasks, than were counted. */
  readonly more: boolean
  readonly subtasks: SubtaskRow[]
}

export function subtasksPage (account: Account, { page, pages, total, more, subtasks }: Listing): Html {
  const moreThan = more ? 'more than ' : ''
  return layout({
    title: page === 1 ? 'Subtasks' : `Subtasks, page ${page}`,
    account: account.name,
    main: html`<h1>Subtasks</h1>
<p class="summary">${total === 1 ? '1 subtask' : `${capitalised(moreThan)}${number(total)} subtasks`}, by name</p>
!${total === 0 ? empty : table(subtasks)}
<nav class="pages" aria-label="Pages">
<p>Page ${number(page)} of ${moreThan}${number(pages)}</p>
!${pages > 1 ? html`<ul>!${linksAround(page, pages).map(n => n === undefined ? gap : pageLink(n, page))}!${more ? gap : ''}</ul>` : ''}
</nav>`
  })
}

const { format: number } = new Intl.NumberFormat('en')
const capitalised = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)

const empty = html`<p class="empty">(No results) This account has no subtasks yet.</p>`

const columns = ['Account', 'Project', 'Task', 'Subtask', 'Name', 'Complete?', 'Details']

// The roles are what a table has anyway; said aloud, they outlast the narrow layout, in which it is displayed as a list.
const table = (subtasks: readonly SubtaskRow[]): Html => html`<table role="table">
<thead role="rowgroup"><tr role="row">!${columns.map(name => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">
!${subtasks.map(row)}</tbody>
</table>`

const row = ({ id, account, project, task, name, isComplete, details }: SubtaskRow): Html => html`<tr role="row">
<td role="cell" data-label="Account">${account}</td>
<td role="cell" data-label="Project">${project}</td>
<td role="cell" data-label="Task">${task}</td>
<td role="cell" data-label="Subtask"><code title="${id}">…${id.slice(-8)}</code></td>
<th scope="row" role="rowheader">${name}</th>
<td role="cell" data-label="Complete?">!${isComplete ? '<span class="done">✓ yes</span>' : '<span class="open">○ no</span>'}</td>
<td role="cell" data-label="Details" class="soft">${details}</td>
</tr>
`

const gap = '<li><span aria-hidden="true">…</span></li>'

const pageLink = (n: number, current: number): Html => n === current
  ? html`<li><a href="${pagePath(n)}" aria-current="page" aria-label="Page ${n}">${n}</a></li>`
  : html`<li><a href="${pagePath(n)}" aria-label="Page ${n}">${n}</a></li>`

export const pagePath = (n: number) => n === 1 ? '/subtasks/' : `/subtasks/${n}/`

/** The pages to link: up to five on either side of the current one, always the first and the last; undefined where some are left out. */
export function linksAround (page: number, pages: number): (number | undefined)[] {
  const from = Math.max(1, page - 5)
  const to = Math.min(pages, page + 5)
  const near = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  const before = from === 1 ? [] : from === 2 ? [1] : [1, undefined]
  const after = to === pages ? [] : to === pages - 1 ? [pages] : [undefined, pages]
  return [...before, ...near, ...after]
}
