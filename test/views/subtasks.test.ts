import t from 'tap'
import type { Role } from '../../src/auth/roles.ts'
import { linksAround } from '../../src/views/pager.ts'
import { errorPage, welcomePage } from '../../src/views/plain.ts'
import { subtasksPage, subtasksPaths } from '../../src/views/subtasks.ts'

const as = (role: Role) => ({ account: { name: 'A & B <i>' }, user: { firstName: 'Ada', lastName: '', email: 'ada@example.com', role } })
const row = {
  id: '01941f29-7c00-7ec4-9008-93b6240244ec', account: 'A & B <i>', projectId: 'p', project: '"p"', taskId: 't', task: 't', name: '<b>n</b>', isComplete: true, details: ''
}
const listing = { page: 1, pages: 1, total: 1, more: false, rows: [row] }
const all = { filter: {} }

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
  const page = subtasksPage(as('member'), { ...listing, page: 2, pages: 3, total: 21, rows: [row, { ...row, isComplete: false }] }, all)
  for (const part of ['<html lang="en">', '<header>', '<main id="main">', '<nav aria-label="Main">', '<nav class="pages" aria-label="Pages">', 'href="#main"',
    '&#60;b&#62;n&#60;/b&#62;</a></th>', 'aria-current="page"', 'Page 2 of 3', '21 subtasks', '&check; yes', '&cir; no', 'A &#38; B &#60;i&#62;']) t.match(page, part)
  t.notMatch(page, /<script>|<script (?!src="\/assets\/[0-9a-f]{12}\.js" type="module"><\/script>)|style=|\son\w+=|https?:/, 'no inline script or style, nothing from elsewhere')
  t.equal(page.match(/<th scope="col"/g)!.length, 7)
  t.equal(page.match(/<tr role="row">/g)!.length, 3)
})

t.test('an empty one, and one of one', async t => {
  const empty = subtasksPage(as('member'), { ...listing, total: 0, rows: [] }, all)
  t.match(empty, '(No results)')
  t.notMatch(empty, '<table')
  t.match(subtasksPage(as('member'), listing, all), '1 subtask,')
})

t.test('a listing that was not counted to its end says so', async t => {
  const page = subtasksPage(as('member'), { ...listing, page: 2, pages: 101, total: 1_010, more: true }, all)
  t.match(page, 'More than 1,010 subtasks')
  t.match(page, 'Page 2 of more than 101')
  t.match(page, '>101</a></li><li><span aria-hidden="true">&hellip;</span></li><li><a href="/subtasks/last/" aria-label="Last page">Last</a></li></ul>')
  const last = subtasksPage(as('member'), { ...listing, page: 'last', pages: 100, total: 1_000, more: true }, all)
  t.match(last, 'The last page of more than 100')
  t.match(last, '>1</a></li><li><span aria-hidden="true">&hellip;</span></li><li><a href="/subtasks/last/" aria-current="page" aria-label="Last page">Last</a></li></ul>')
  t.match(last, '<title>Subtasks, last page &middot;')
  t.match(last, 'name="back" value="/subtasks/last/"')
})

t.test('whoever may not write sees no button for it', async t => {
  t.match(subtasksPage(as('member'), listing, all), 'action="/subtasks/01941f29-7c00-7ec4-9008-93b6240244ec/completion"')
  const page = subtasksPage(as('viewer'), listing, all)
  t.match(page, '&check; yes')
  t.same([...page.matchAll(/action="(.*?)"/g)].map(match => match[1]), ['/sign-out', '/subtasks/'])
  t.notMatch(page, '/audit/')
  t.match(subtasksPage(as('admin'), listing, all), '/audit/')
})

t.test('the pages of a filtered listing stay filtered', async t => {
  t.equal(subtasksPaths({ q: 'a&b', complete: 'no', projectId: '' })(2), '/subtasks/2/?q=a%26b&complete=no')
  t.match(subtasksPage(as('member'), { ...listing, page: 1, pages: 2 }, { filter: { q: 'x' } }), 'href="/subtasks/2/?q&#61;x"')
  t.match(subtasksPage(as('member'), { ...listing, total: 0, rows: [] }, { filter: { q: 'x' } }), 'Show all')
})

t.test('plain pages', async t => {
  t.match(welcomePage('example.com'), 'your-account.example.com')
  t.match(errorPage(418, '<x>'), '&#60;x&#62;')
})
