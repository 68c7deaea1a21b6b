// Run as a process: what `start` runs, with routes for the tests of how it ends. Prints the port it listens on.
// While there is a file by the name of FRAIL, it ends as soon as it is started.
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { start } from '../../src/commands/start.ts'
import { loadConfig } from '../../src/config.ts'
import { projects } from '../../src/db/schema.ts'

if (existsSync(process.env.FRAIL ?? '')) process.exit(3)

const config = loadConfig(process.env, false)
const port = await start(config, new AbortController().signal, { more: routes })
if (port) console.log(`It listens on ${port}.`)

async function routes (app: FastifyInstance): Promise<void> {
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
