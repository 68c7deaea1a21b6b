// Long runs are programs of their own: they start the server they need, tidy up after themselves, and stop it.
import type { Owner } from './database.ts'
import { startTestServer, stopTestServer } from './server.ts'

/** @param uncaught grows while it runs */
export type Work = (owner: Owner, uncaught: readonly unknown[]) => Promise<boolean>

/** As `asProgram`, on the test server. Not beside `npm test`, which would sweep its databases away. */
export function onTestServer (work: Work): Promise<void> {
  return asProgram(async (owner, uncaught) => {
    owner.teardown(stopTestServer)
    await startTestServer()
    return work(owner, uncaught)
  })
}

/** Exit code 1 unless `work` says that all is well, and no error went uncaught; 130 after Ctrl-C. */
export async function asProgram (work: Work): Promise<void> {
  const uncaught: unknown[] = []
  process.on('uncaughtException', error => uncaught.push(error)).on('unhandledRejection', error => uncaught.push(error))
  const duties: (() => unknown)[] = []
  const tidy = async () => {
    for (const duty of duties.splice(0).reverse()) await duty()
  }
  process.once('SIGINT', () => {
    process.exitCode = 130
    tidy().finally(() => process.exit())
  })
  try {
    const good = await work({ teardown: duty => duties.push(duty) }, uncaught)
    for (const error of uncaught) console.log('Uncaught:', error)
    if (!good || uncaught.length > 0) process.exitCode = 1
  } catch (error) {
    if (process.exitCode === 130) return // what was under way lost its server
    console.error(error) // rethrown, it would come to the listeners above, and end with exit code 0
    process.exitCode = 1
  } finally {
    if (process.exitCode !== 130) await tidy()
  }
}
