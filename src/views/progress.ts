// How far the work has come: a bar for one, and a street of houses for many.
import { html } from 'ghtml'
import type { Html } from './layout.ts'
import { number } from './pager.ts'

export interface Done { readonly done: number, readonly total: number }

export const bar = ({ done, total }: Done, of: string): Html => html`<progress max="${Math.max(total, 1)}" value="${done}" aria-label="${of} done"></progress>
<span class="amount">${total === 0 ? `no ${of}` : `${number(done)} of ${number(total)} done`}</span>`

const [plot, width, roof, tallest, lowest] = [64, 44, 20, 110, 20]
const ground = roof + tallest + 2

export interface House extends Done { readonly id: string, readonly name: string }

/** Each project is a house with a number: the taller, the more subtasks, filled as far as they are done. The list beside it says the same. */
export const street = (houses: readonly House[]): Html => html`<figure class="overview" aria-labelledby="largest">
<figcaption id="largest">The projects with the most subtasks</figcaption>
<svg class="street" role="img" aria-labelledby="street-title" aria-describedby="street-text" viewBox="0 0 !${houses.length * plot} !${ground + 28}" width="!${houses.length * plot}">
<title id="street-title">A row of houses</title>
<desc id="street-text">Each house is a project: as tall as its subtasks are many, and filled as far as they are done.</desc>
!${houses.map((each, i) => house(each, i, Math.max(...houses.map(({ total }) => total), 1)))}<path class="ground" d="M0 !${ground}h!${houses.length * plot}"/>
</svg>
<ol>!${houses.map(({ id, name, done, total }) => html`<li><a href="/projects/${id}/">${name}</a> <span class="amount">${number(done)} of ${number(total)} done</span></li>
`)}</ol></figure>`

function house ({ name, done, total }: House, i: number, most: number): Html {
  const height = lowest + (tallest - lowest) * total / most
  const filled = total === 0 ? 0 : height * done / total
  const [top, level] = [Math.round(ground - height), Math.round(ground - filled)]
  const left = i * plot + (plot - width) / 2
  return html`<g><title>${name}</title><rect class="wall" x="!${left}" y="!${top}" width="!${width}" height="!${ground - top}"/>
<rect class="fill" x="!${left}" y="!${level}" width="!${width}" height="!${ground - level}"/>
<path class="roof" d="M!${left - 5} !${top}l!${width / 2 + 5} -!${roof} !${width / 2 + 5} !${roof}z"/><text x="!${left + width / 2}" y="!${ground + 24}">!${i + 1}</text></g>
`
}
