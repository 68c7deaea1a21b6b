// Run as a process: what `start` runs, with routes for the tests of how it ends. Prints the port it listens on.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { serve } from '../../src/commands/start.ts'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/db/database.ts'
import { projects } from '../../src/db/schema.ts'

const config = loadConfig(process.env, false)
const port = await serve(config, await openDatabase(config), config.logLevel ?? 'info', new AbortController().signal, { more: routes })
console.log(`It listens on ${port}.`)

async function routes (app: FastifyInstance): Promise<void> {
  /** Two rows of one name in one transaction, so many milliseconds apart. */
  app.post<{ Params: { name: string, apart: string } }>('/test/pair/:name/:apart', async ({ tenant, params: { name, apart } }) => {
    await tenant.insert(projects, { name })
    await sleep(Number(apart))
    await tenant.insert(projects, { name })
    return {}
  })

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
