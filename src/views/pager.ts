// Links to the pages of a listing.
import { html } from 'ghtml'
import type { Html } from './layout.ts'

/** 1,234. Intl takes as long for a short number as a page takes for its table's row (measured). */
export const number = (n: number): string => n < 1_000 ? String(n) : n.toLocaleString('en')

/** Counted from 1; the last page can be asked for without knowing which it is. */
export type PageNumber = number | 'last'

/** One page of a listing; an empty listing has one. */
export interface Paged<Row> {
  /** 'last' where there are more than were counted. */
  readonly page: PageNumber
  readonly pages: number
  readonly total: number
  /** Whether there are more pages, and rows, than were counted. */
  readonly more: boolean
  readonly rows: readonly Row[]
}

type Counts = Omit<Paged<unknown>, 'rows'>

/** 1 subtask, or: more than 1,000 subtasks */
export const amount = ({ total, more }: Pick<Counts, 'total' | 'more'>, one: string, many: string): string =>
  total === 1 ? `1 ${one}` : `${more ? 'More than ' : ''}${number(total)} ${many}`

export const pagePath = (path: string) => (page: PageNumber): string => page === 1 ? path : `${path}?page=${page}`

/** @param path of a page */
export const pager = ({ page, pages, more }: Counts, path: (page: PageNumber) => string): Html => html`<nav class="pages" aria-label="Pages">
<p>${page === 'last' ? 'The last page' : `Page ${number(page)}`} of ${more ? 'more than ' : ''}${number(pages)}</p>
!${pages > 1 ? html`<ul>!${linksAround(page, pages).map(n => n === undefined ? gap : pageLink(n, page, path))}!${more ? gap + pageLink('last', page, path) : ''}</ul>` : ''}
</nav>`

/** The same for a list that is seldom longer than a page. */
export const morePages = (counts: Counts, path: string): Html => counts.pages === 1 && !counts.more ? '' : pager(counts, pagePath(path))

const gap = '<li><span aria-hidden="true">&hellip;</span></li>'

const pageLink = (n: PageNumber, current: PageNumber, path: (page: PageNumber) => string): Html =>
  html`<li><a href="${path(n)}"!${n === current ? ' aria-current="page"' : ''} aria-label="${n === 'last' ? 'Last page' : `Page ${n}`}">${n === 'last' ? 'Last' : n}</a></li>`

/**
 * The pages to link: up to five on either side of the current one, always the first and the last that was counted; undefined where some
 * are left out. From a last page that was not counted, it is the first only.
 */
export function linksAround (page: PageNumber, pages: number): (number | undefined)[] {
  if (page === 'last') return [1]
  const from = Math.max(1, page - 5)
  const to = Math.min(pages, page + 5)
  const near = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  const before = from === 1 ? [] : from === 2 ? [1] : [1, undefined]
  const after = to === pages ? [] : to === pages - 1 ? [pages] : [undefined, pages]
  return [...before, ...near, ...after]
}
