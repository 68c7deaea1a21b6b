// A real browser: Debian's Chromium, or any Chrome or Edge that is installed. Where there is none, the tests that want one say so and are
// skipped; but not in CI, where they fail.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type axeCore from 'axe-core'
import { type Browser, type BrowserContextOptions, type LaunchOptions, type Page, chromium } from 'playwright-core'
import type { Test } from 'tap'

const installed: LaunchOptions[] = [
  ...['/usr/bin/chromium', '/usr/bin/chromium-browser'].filter(path => existsSync(path)).map(executablePath => ({ executablePath })),
  { channel: 'chrome' }, { channel: 'msedge' }
]

/** @returns undefined, having skipped the test, if there is no browser */
export async function testBrowser (t: Test): Promise<Browser | undefined> {
  for (const options of installed) {
    const browser = await chromium.launch({ timeout: 30_000, ...options }).catch(error => {
      if (/is not found at/.test(error.message)) return undefined // no such channel
      throw error
    })
    if (!browser) continue
    t.teardown(() => browser.close())
    return browser
  }
  if (process.env.CI) throw new Error('There is no browser: install chromium, Chrome or Edge.')
  t.plan(0, 'no Chromium, Chrome or Edge is installed')
}

/** A page of a browser that knows nobody yet. What goes wrong in it fails the test, but for what a page that is not ours is kept from. */
export async function openPage (t: Test, browser: Browser, options: BrowserContextOptions = {}, keptFrom?: RegExp): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options })
  context.setDefaultTimeout(15_000)
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('pageerror', error => t.fail(`the script failed: ${error.message}`))
  page.on('console', message => { if (/Content Security Policy/.test(message.text()) && !keptFrom?.test(message.text())) t.fail(message.text()) })
  return page
}

export async function signInOn (page: Page, site: string, { email, password }: { email: string, password: string }): Promise<void> {
  await page.goto(`${site}/sign-in`)
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe has to say against the page as it is, in light and in dark. The context must bypass our policy, which lets no such script in. */
export async function complaintsAbout (page: Page): Promise<string[]> {
  await page.emulateMedia({ colorScheme: 'light' })
  await page.evaluate(axe)
  const light = await page.evaluate('axe.run({ resultTypes: ["violations"] })') as axeCore.AxeResults
  await page.emulateMedia({ colorScheme: 'dark' })
  const dark = await page.evaluate('axe.run({ runOnly: ["color-contrast"], resultTypes: ["violations"] })') as axeCore.AxeResults
  const inWords = (scheme: string) => ({ id, help, nodes }: axeCore.Result) => `${scheme}: ${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`
  return [...light.violations.map(inWords('light')), ...dark.violations.map(inWords('dark'))]
}

/** How far the page reaches past the screen's right edge. */
export const overhang = (page: Page): Promise<number> => page.evaluate('Math.max(0, document.documentElement.scrollWidth - innerWidth)')
