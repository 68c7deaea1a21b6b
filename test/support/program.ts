// Long runs are programs of their own, on the test server: they start it, tidy up after themselves, and stop it.
import type { Owner } from './database.ts'
import { startTestServer, stopTestServer } from './server.ts'

/** Exit code 1 unless `work` says that all is well; 130 after Ctrl-C. Not beside `npm test`, which would sweep its databases away. */
export async function onTestServer (work: (owner: Owner) => Promise<boolean>): Promise<void> {
  const duties: (() => unknown)[] = []
  const tidy = async () => {
    for (const duty of duties.splice(0).reverse()) await duty()
    await stopTestServer()
  }
  process.once('SIGINT', () => {
    process.exitCode = 130
    tidy().finally(() => process.exit())
  })
  await startTestServer()
  try {
    if (!await work({ teardown: duty => duties.push(duty) })) process.exitCode = 1
  } finally {
    if (process.exitCode !== 130) await tidy()
  }
}
