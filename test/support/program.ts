// Long runs are programs of their own: they start the server they need, tidy up after themselves, and stop it.
import type { Owner } from './database.ts'
import { startTestServer, stopTestServer } from './server.ts'

/** As `asProgram`, on the test server. Not beside `npm test`, which would sweep its databases away. */
export function onTestServer (work: (owner: Owner) => Promise<boolean>): Promise<void> {
  return asProgram(async owner => {
    owner.teardown(stopTestServer)
    await startTestServer()
    return work(owner)
  })
}

/** Exit code 1 unless `work` says that all is well; 130 after Ctrl-C. */
export async function asProgram (work: (owner: Owner) => Promise<boolean>): Promise<void> {
  const duties: (() => unknown)[] = []
  const tidy = async () => {
    for (const duty of duties.splice(0).reverse()) await duty()
  }
  process.once('SIGINT', () => {
    process.exitCode = 130
    tidy().finally(() => process.exit())
  })
  try {
    if (!await work({ teardown: duty => duties.push(duty) })) process.exitCode = 1
  } finally {
    if (process.exitCode !== 130) await tidy()
  }
}
