// Tables, which on a narrow screen are shown as a list of cards.
import { html } from 'ghtml'
import type { Html } from './layout.ts'

export const text = (plain: string): Html => html`${plain}`
export const link = (path: string, name: string): Html => html`<a href="${path}">${name}</a>`

/**
 * What makes tables with these columns out of rows, each the cells of one row as they are built. What all rows have in common is built once.
 * @param head which column says what a row is about
 */
export function tableOf (columns: readonly string[], head: string): (rows: readonly (readonly Html[])[]) => Html {
  // The roles are what a table has anyway; said aloud, they outlast the narrow layout.
  const top = html`<table role="table">
<thead role="rowgroup"><tr role="row">!${columns.map(name => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">
`
  const around = columns.map(name => name === head
    ? ['<th scope="row" role="rowheader">', '</th>\n'] as const
    : [html`<td role="cell" data-label="${name}">`, '</td>\n'] as const)
  return rows => { // put together piece by piece, of which V8 copies none until it is sent: joined, each cell would be copied twice on the way
    let body = ''
    for (const cells of rows) {
      body += '<tr role="row">\n'
      around.forEach(([before, after], i) => { body += before + cells[i]! + after })
      body += '</tr>\n'
    }
    return `${top}${body}</tbody>\n</table>`
  }
}
