import t from 'tap'
import { accountId } from '../../src/tenancy/account.ts'
import { linksAround, subtasksPage } from '../../src/views/subtasks.ts'
import { errorPage, welcomePage } from '../../src/views/plain.ts'

const account = { id: accountId(1), slug: 'a', name: 'A & B <i>', status: 'active' } as const
const row = { id: '01941f29-7c00-7ec4-9008-93b6240244ec', account: account.name, project: '"p"', task: 't', name: '<b>n</b>', isComplete: true, details: '' }

t.test('links around the current page, always with the first and the last', async t => {
  t.same(linksAround(1, 1), [1])
  t.same(linksAround(2, 3), [1, 2, 3])
  t.same(linksAround(1, 12), [1, 2, 3, 4, 5, 6, undefined, 12])
  t.same(linksAround(7, 13), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  t.same(linksAround(50, 99), [1, undefined, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, undefined, 99])
  for (let pages = 1; pages < 40; pages++) {
    for (let page = 1; page <= pages; page++) {
      const links = linksAround(page, pages)
      t.ok(links.length <= 20 && links[0] === 1 && links.at(-1) === pages && links.includes(page))
    }
  }
})

t.test('a page', async t => {
  const page = subtasksPage(account, { page: 2, pages: 3, total: 21, more: false, subtasks: [row, { ...row, isComplete: false }] })
  for (const part of ['<html lang="en">', '<header>', '<main id="main">', '<nav aria-label="Main">', '<nav class="pages" aria-label="Pages">', 'href="#main"',
    '<th scope="row" role="rowheader">&#60;b&#62;n&#60;/b&#62;</th>', 'aria-current="page"', 'Page 2 of 3', '21 subtasks', '✓ yes', '○ no', 'A &#38; B &#60;i&#62;']) t.match(page, part)
  t.notMatch(page, /<script|style=|https?:/, 'no script, no inline style, nothing from elsewhere')
  t.equal(page.match(/<th scope="col"/g)!.length, 7)
  t.equal(page.match(/<tr role="row">/g)!.length, 3)
})

t.test('an empty one, and one of one', async t => {
  const empty = subtasksPage(account, { page: 1, pages: 1, total: 0, more: false, subtasks: [] })
  t.match(empty, '(No results)')
  t.notMatch(empty, '<table')
  t.match(subtasksPage(account, { page: 1, pages: 1, total: 1, more: false, subtasks: [row] }), '1 subtask,')
})

t.test('a listing that was not counted to its end says so', async t => {
  const page = String(subtasksPage(account, { page: 2, pages: 101, total: 1_010, more: true, subtasks: [row] }))
  t.match(page, 'More than 1,010 subtasks')
  t.match(page, 'Page 2 of more than 101')
  t.match(page, '>101</a></li><li><span aria-hidden="true">…</span></li></ul>')
})

t.test('plain pages', async t => {
  t.match(welcomePage('example.com'), 'your-account.example.com')
  t.match(errorPage(418, '<x>'), '&#60;x&#62;')
})
