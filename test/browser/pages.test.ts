// The pages in a real browser: with script and without, by mouse and by keyboard, wide and narrow, in light and in dark.
import t from 'tap'
import { furnish } from '../support/accounts.ts'
import { complaintsAbout, openPage, overhang, signInOn, testBrowser } from '../support/browser.ts'
import { endConnections, testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { addUser } from '../support/people.ts'

const password = 'correct horse battery'
const owner = { email: 'owner-here@example.com', password, role: 'owner' } as const
const viewer = { email: 'viewer-here@example.com', password, role: 'viewer' } as const

t.test('in a browser', { timeout: 170_000 }, async t => {
  const browser = await testBrowser(t)
  if (!browser) return
  const database = await testDatabase(t)
  const [data] = await furnish(t, database, 23, 3)
  await addUser(database.admin, 1, owner)
  await addUser(database.admin, 1, viewer)
  await addUser(database.admin, 2, owner)
  const { port } = await testSite(t, database)
  const limited = `http://tenant-0.localhost:${(await testSite(t, database, { RATE_LIMIT_SESSION: '1' })).port}` // the cookie is good for any port
  const [site, sibling] = [0, 1].map(n => `http://tenant-${n}.localhost:${port}`) as [string, string]
  const project = data!.projects[0]!.id!
  const task = data!.tasks[0]!.id!

  for (const javaScriptEnabled of [true, false]) {
    t.test(`sign in, tick, add, delete, search, sign out, ${javaScriptEnabled ? 'with' : 'without'} script`, async t => {
      const page = await openPage(t, browser, { javaScriptEnabled })
      let loads = 0
      page.on('domcontentloaded', () => loads++)
      await page.goto(`${site}/projects/`)
      await page.getByLabel('E-mail').fill(owner.email)
      await page.getByLabel('Password').fill('wrong')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('alert').waitFor()
      t.equal(await page.getByLabel('E-mail').inputValue(), owner.email, 'what was typed is still there')
      await page.getByLabel('Password').fill(owner.password)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'Projects' }).waitFor()
      t.equal(page.url(), `${site}/projects/`, 'where they wanted to go')

      const name = `Kitchen ${javaScriptEnabled}`
      await page.getByLabel('New project').fill('   ')
      await page.getByRole('button', { name: 'Add' }).click()
      await page.getByText('A name is one line').waitFor()
      await page.getByLabel('New project').fill(name)
      await page.getByRole('button', { name: 'Add' }).click()
      await page.getByRole('status').filter({ hasText: 'Added.' }).waitFor()
      await page.getByRole('list').getByRole('link', { name }).click()
      await page.getByLabel('New task').fill('Walls')
      await page.getByRole('button', { name: 'Add' }).click()
      await page.getByRole('link', { name: 'Walls' }).click()
      await page.getByRole('heading', { name: 'Walls' }).waitFor()

      loads = 0
      for (const each of ['Sand', 'Paint']) {
        await page.getByLabel('New subtask').fill(each)
        await page.getByRole('button', { name: 'Add' }).click()
        await page.getByRole('link', { name: each, exact: true }).waitFor()
      }
      await page.getByRole('button', { name: /no.*complete Sand/ }).click()
      await page.getByRole('button', { name: /yes.*reopen Sand/ }).waitFor()
      t.equal(loads, javaScriptEnabled ? 0 : 3, 'how often the page was loaded anew')

      await page.getByRole('link', { name: 'Delete Paint' }).click()
      await page.getByRole('heading', { name: 'Delete this subtask?' }).waitFor()
      t.equal(await page.getByRole('dialog').count(), javaScriptEnabled ? 1 : 0)
      await page.getByRole('button', { name: 'Delete' }).click()
      await page.getByText('Deleted.').waitFor()
      t.equal(await page.getByRole('link', { name: 'Paint', exact: true }).count(), 0)

      await page.getByRole('link', { name: 'Subtasks' }).click()
      await page.getByLabel('Search').fill('sand')
      await page.getByLabel('Complete?').selectOption('yes')
      await page.getByRole('button', { name: 'Show' }).click()
      await page.getByText('1 subtask,').waitFor({ timeout: 5_000 }).catch(() => t.fail('the search found something else'))
      await page.getByLabel('Complete?').selectOption('')
      await page.getByRole('button', { name: 'Choose a project' }).click()
      await page.locator('#projectId:focus').selectOption(name)
      t.same([await page.getByLabel('Search').inputValue(), await page.getByLabel('Complete?').inputValue()], ['sand', ''], 'what was filled in is still there')
      await page.getByRole('button', { name: 'Show' }).click()
      await page.getByText('1 subtask,').waitFor({ timeout: 5_000 }).catch(() => t.fail('the project has another one'))
      t.equal(await page.getByLabel('Project').locator('option:checked').innerText(), name)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      await page.goto(`${site}/subtasks/`)
      t.match(page.url(), '/sign-in?next=')
      await page.goto(`${site}/projects/`)
      await signInOn(page, site, owner)
      await page.goto(`${site}/projects/`)
      await page.getByRole('link', { name }).first().click()
      await page.getByRole('link', { name: `Delete ${name}` }).click()
      await page.getByRole('button', { name: 'Delete' }).click()
      await page.getByText('Deleted.').waitFor()
    })
  }

  t.test('two accounts side by side: neither signs the other out, and neither sees the other', async t => {
    const here = await openPage(t, browser)
    await signInOn(here, site, owner)
    const there = await here.context().newPage()
    await there.goto(`${sibling}/subtasks/`)
    t.match(there.url(), '/sign-in', 'signed in there is not signed in here')
    await signInOn(there, sibling, owner)
    await here.reload()
    t.match(await here.locator('.summary').innerText(), /^2\d subtasks/)
    t.match(await there.locator('.summary').innerText(), /^3 subtasks/)
    const cookies = (await here.context().cookies()).filter(({ name }) => name.includes('session'))
    t.same(cookies.map(({ domain }) => domain).toSorted(), ['tenant-0.localhost', 'tenant-1.localhost'])
    t.match(cookies, cookies.map(() => ({ httpOnly: true, sameSite: 'Lax', path: '/' })))
    t.equal((await there.goto(`${sibling}/projects/${project}/`))!.status(), 404)
    await there.getByRole('link', { name: 'Start page' }).click()
    await there.getByRole('button', { name: 'Sign out' }).click()
    await here.reload()
    await here.getByRole('button', { name: 'Sign out' }).waitFor()
  })

  t.test('by keyboard alone', async t => {
    const page = await openPage(t, browser)
    const focused = () => page.evaluate('document.activeElement.innerText || document.activeElement.name') as Promise<string>
    const press = async (...keys: string[]) => { for (const key of keys) await page.keyboard.press(key) }
    await page.goto(`${site}/tasks/${task}/`)
    await page.locator('[name=email]:focus').waitFor() // by itself, once the page has been drawn
    await page.keyboard.type(owner.email)
    await press('Tab')
    await page.keyboard.type(owner.password)
    await press('Enter')
    await page.getByRole('heading', { name: 'Subtasks' }).waitFor()

    await press('Tab')
    t.equal(await focused(), 'Skip to content')
    await press('Enter', 'Tab')
    t.equal(await focused(), 'Projects', 'past the navigation')
    await page.locator('.tick').nth(1).focus()
    const before = await focused()
    await press('Space')
    await page.locator('.tick:focus').filter({ hasText: /no/.test(before) ? '✓ yes' : '○ no' }).waitFor() // the same button, which now says the opposite

    await page.getByLabel('New subtask').focus()
    await page.keyboard.type('One more')
    await press('Enter')
    await page.getByRole('link', { name: 'One more', exact: true }).waitFor()
    t.equal(await focused(), 'name', 'the next one can be typed')

    await page.getByRole('link', { name: 'Delete One more' }).focus()
    await press('Enter')
    await page.getByRole('dialog').waitFor()
    t.equal(await focused(), 'Delete', 'the question has the focus')
    await press('Tab', 'Tab', 'Tab')
    t.ok(await page.evaluate('document.activeElement === document.body || Boolean(document.activeElement.closest("dialog"))'), 'and keeps it')
    await press('Escape')
    t.match(await focused(), 'Delete', 'and gives it back')
    t.equal(await page.getByRole('dialog').count(), 0)
    t.equal(await page.getByRole('link', { name: 'One more', exact: true }).count(), 1)
  })

  t.test('a viewer is invited, sees, and is refused', async t => {
    const page = await openPage(t, browser)
    await signInOn(page, site, viewer)
    t.equal(await page.locator('main form[method=post], .tick').count(), 0)
    t.equal((await page.goto(`${site}/projects/${project}/edit`))!.status(), 403)
    await page.getByRole('heading', { name: 'Not open to you' }).waitFor()
  })

  t.test('the API is tried from its own page, as whoever is signed in', async t => {
    const page = await openPage(t, browser, {}, /^Applying inline style/) // Swagger's, which it does without
    await signInOn(page, site, owner)
    await page.goto(`${site}/api/docs`)
    await page.getByText('See who I am').click()
    await page.getByRole('button', { name: 'Try it out' }).click()
    await page.getByRole('button', { name: 'Execute' }).click()
    await page.locator('.live-responses-table').getByText(owner.email).waitFor()
  })

  t.test('every page: axe finds nothing, in light and in dark, and nothing reaches past a phone\'s edge', async t => {
    const page = await openPage(t, browser, { bypassCSP: true })
    const look = async (path: string) => {
      t.same(await complaintsAbout(page), [], path)
      await page.setViewportSize({ width: 340, height: 700 })
      t.equal(await overhang(page), 0, `${path} on a phone`)
      await page.setViewportSize({ width: 1200, height: 800 })
    }
    await page.goto(`${site}/sign-in`)
    await look('/sign-in')
    await page.goto(`http://localhost:${port}/`)
    await look('the bare domain')
    await signInOn(page, site, owner)
    const paths = ['/subtasks/', '/subtasks/?q=nothing+like+it', '/subtasks/?choose=project', '/projects/', `/projects/${project}/`, `/projects/${project}/edit`, `/projects/${project}/delete`,
      `/tasks/${task}/`, `/subtasks/${data!.subtasks[0]!.id}/`, '/members/', `/members/${data!.users[0]!.id}/`, '/me/', '/audit/', '/nowhere']
    for (const path of paths) {
      await page.goto(`${site}${path}`)
      await look(path)
    }
    await page.goto(`${site}/projects/`)
    await page.getByLabel('New project').fill(' ')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.locator('[aria-invalid]').waitFor()
    await look('what cannot be kept')
    await page.goto(`${site}/members/`)
    await page.getByLabel('E-mail').fill('new@example.com')
    await page.getByRole('button', { name: 'Invite' }).click()
    await page.getByRole('heading', { name: 'Send this link' }).waitFor()
    await look('an invitation')
    await page.goto(`${site}/tasks/${task}/`)
    await page.getByRole('link', { name: /^Delete/ }).first().click()
    await page.getByRole('dialog').waitFor()
    await look('a question')
    await page.goto(`${site}/me/`)
    await page.getByLabel('Name', { exact: true }).fill('Reports')
    await page.getByRole('button', { name: 'Make' }).click()
    await page.getByRole('heading', { name: 'Keep this token' }).waitFor()
    await look('a token')
    const statusOf = async () => (await page.goto(`${limited}/subtasks/`))!.status()
    t.equal(await statusOf(), 200)
    t.ok(await statusOf() === 429 || await statusOf() === 429, 'even if a minute began just now')
    await look('too many requests')
    await database.admin.unsafe(`alter database ${database.name} connection limit 0`)
    await endConnections(database)
    t.equal((await page.goto(`${site}/subtasks/`))!.status(), 503)
    await look('no database')
  })
})
