// Tables, which on a narrow screen are shown as a list of cards.
import { html } from 'ghtml'
import type { Html } from './layout.ts'

export const text = (plain: string): Html => html`${plain}`
export const link = (path: string, name: string): Html => html`<a href="${path}">${name}</a>`

// The roles are what a table has anyway; said aloud, they outlast the narrow layout.
export const table = (columns: readonly string[], rows: readonly Html[]): Html => html`<table role="table">
<thead role="rowgroup"><tr role="row">!${columns.map(name => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">
!${rows}</tbody>
</table>`

/** @param head which column says what the row is about; the others are given as built */
export const row = (columns: readonly string[], head: string, cells: readonly Html[]): Html => html`<tr role="row">
!${columns.map((name, i) => name === head
  ? html`<th scope="row" role="rowheader">!${cells[i]!}</th>
`
  : html`<td role="cell" data-label="${name}">!${cells[i]!}</td>
`)}</tr>
`
