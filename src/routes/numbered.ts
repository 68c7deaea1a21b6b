// Listings by the numbers of their pages.
import { AppError } from '../errors.ts'
import { type Page, type PageOf, theEnd } from '../tenancy/query.ts'
import type { PageNumber, Paged } from '../views/pager.ts'

/** How far to count, from a page on: a thousand rows cost less than the page, and a hundred thousand ten times as much. */
const counted = 1_000

type Numbered<Row> = Paged<Row> & Pick<PageOf<Row[]>, 'rows' | 'next'>

/**
 * The last page of a listing that is too long to be counted has no number, and is full.
 * @throws {AppError} page_not_found past the last page; the first page is always there
 */
export async function numbered<Row> (page: PageNumber, limit: number, ask: (page: Page) => Promise<PageOf<Row[]>>): Promise<Numbered<Row>> {
  const from = page === 'last' ? 0 : (page - 1) * limit
  const { rows, ahead, next } = await ask({ limit, from: page === 'last' ? theEnd : from, ahead: counted + 1 })
  if (rows.length === 0 && from > 0) throw new AppError('page_not_found')
  const total = from + Math.min(ahead, counted)
  const more = ahead > counted
  const pages = Math.max(1, Math.ceil(total / limit))
  if (page !== 'last' || more) return { page, pages, total, more, rows, next }
  return { page: pages, pages, total, more, rows: rows.slice((pages - 1) * limit - total), next }
}
