// Listings by the numbers of their pages.
import { AppError } from '../errors.ts'
import type { Page, PageOf } from '../tenancy/query.ts'
import type { Paged } from '../views/pager.ts'

/** How far to count, from a page on: a thousand rows cost less than the page, and a hundred thousand ten times as much. */
const counted = 1_000

/** @throws {AppError} page_not_found past the last page; the first page is always there */
export async function numbered<Row> (
  page: number, limit: number, ask: (page: Page) => Promise<PageOf<Row[]>>
): Promise<Paged<Row> & Pick<PageOf<Row[]>, 'rows' | 'next'>> {
  const from = (page - 1) * limit
  const { rows, ahead, next } = await ask({ limit, from, ahead: counted + 1 })
  if (rows.length === 0 && page > 1) throw new AppError('page_not_found')
  const total = from + Math.min(ahead, counted)
  return { page, pages: Math.max(1, Math.ceil(total / limit)), total, more: ahead > counted, rows, next }
}
