// Run as a process: what `start` runs, with routes for the tests of how it ends. Prints the port it listens on.
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '../../src/commands/start.ts'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/db/database.ts'
import { projects } from '../../src/db/schema.ts'
import { answerErrors, asProblem } from '../../src/routes/errors.ts'

const config = loadConfig(process.env, false)
const port = await serve(config, await openDatabase(config), config.logLevel ?? 'info', new AbortController().signal, async app => {
  await app.register(async api => {
    answerErrors(api, asProblem)
    api.tenanted(api)

    /** Two rows of one name in one transaction, so many milliseconds apart. */
    api.post<{ Params: { name: string, apart: string } }>('/pair/:name/:apart', async ({ tenant, params: { name, apart } }) => {
      await tenant.insert(projects, { name })
      await sleep(Number(apart))
      await tenant.insert(projects, { name })
      return {}
    })

    api.get<{ Params: { milliseconds: string } }>('/burn/:milliseconds', async ({ params: { milliseconds } }) => {
      for (const end = performance.now() + Number(milliseconds); performance.now() < end;);
      return {}
    })

    api.post('/throw', async () => {
      setImmediate(() => { throw new Error('thrown by the test') })
      return {}
    })

    api.post('/reject', async () => {
      setImmediate(() => { Promise.reject(new Error('thrown by the test')) })
      return {}
    })
  }, { prefix: '/test' })
})
console.log(`It listens on ${port}.`)
