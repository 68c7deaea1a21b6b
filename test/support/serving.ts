// Run as a process: what `start` runs, with routes for the tests of how it ends. Prints the port it listens on.
// However long it stood still, it answers, since the machine may be busy; with REFUSES=1 it refuses, as it should. While there is a file by
// the name of FRAIL, it ends as soon as it is started.
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

if (existsSync(process.env.FRAIL ?? '')) process.exit(3)

const { loadConfig } = await import('../../src/config.ts') // not before, which would take longer than all else that a frail one does
const { start } = await import('../../src/commands/start.ts')
const port = await start(loadConfig(process.env, false), new AbortController().signal, { more: routes, ...process.env.REFUSES !== '1' && { maxDelay: 0 } })
if (port) console.log(`It listens on ${port}.`)

async function routes (app: FastifyInstance): Promise<void> {
  const { projects } = await import('../../src/db/schema.ts') // the primary can do without

  /** Two rows of one name in one transaction, so many milliseconds apart. */
  app.post<{ Params: { name: string, apart: string } }>('/test/pair/:name/:apart', async ({ tenant, params: { name, apart } }) => {
    await tenant.insert(projects, { name })
    await sleep(Number(apart))
    await tenant.insert(projects, { name })
    return {}
  })

  app.get('/test/pid', async () => process.pid)

  app.get<{ Params: { milliseconds: string } }>('/test/burn/:milliseconds', async ({ params: { milliseconds } }) => {
    for (const end = performance.now() + Number(milliseconds); performance.now() < end;);
    return {}
  })

  app.post('/test/throw', async () => {
    setImmediate(() => { throw new Error('thrown by the test') })
    return {}
  })

  app.post('/test/reject', async () => {
    setImmediate(() => { Promise.reject(new Error('thrown by the test')) })
    return {}
  })
}
