// A server that is a process of its own (serving.ts), which can be stopped, and clients that keep their connection.
import { Agent, request } from 'node:http'
import type { Test } from 'tap'
import { furnish } from './accounts.ts'
import { type Running, start } from './cli.ts'
import { type TestDatabase, testDatabase } from './database.ts'

/** `error` is Node's code; `reused`, whether the connection had carried a request before. */
export interface Said { status: number, last: boolean, reused: boolean, error?: string }

export interface Client {
  call (method: 'GET' | 'POST', path: string): Promise<Said>
}

export interface ServerProcess {
  readonly database: TestDatabase
  readonly running: Running
  readonly port: number
  client (): Client
  /** Names of /test/pair of which not exactly two rows were kept, with how many were. */
  halves (): Promise<Record<string, number>>
  pairs (): Promise<Set<string>>
}

export async function serverProcess (t: Test, environment: Record<string, string> = {}): Promise<ServerProcess> {
  const database = await testDatabase(t)
  await furnish(t, database, 3)
  const running = start(t, [], {
    DATABASE_URL: database.appUrl, PREPARED_STATEMENTS: database.pooled ? 'off' : 'on', HOST: '127.0.0.1', PORT: '0', POOL_MAX: '20', ...environment
  }, 'test/support/serving.ts')
  const port = Number(/It listens on (\d+)\./.exec(await running.printed(/It listens on \d+\./))![1])
  const rows = async () => Object.fromEntries((await database.admin<{ name: string, n: number }[]>`
    select name, count(*)::int as n from projects where name like 'pair%' group by name`).map(({ name, n }) => [name, n]))
  return {
    database,
    running,
    port,
    halves: async () => Object.fromEntries(Object.entries(await rows()).filter(([, n]) => n !== 2)),
    pairs: async () => new Set(Object.keys(await rows())),
    client () {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      t.teardown(() => agent.destroy())
      return {
        call: (method, path) => new Promise(resolve => {
          const call = request({ agent, port, host: '127.0.0.1', method, path, headers: { host: 'tenant-0.localhost' } }, response => {
            const answer = { status: response.statusCode!, last: response.headers.connection === 'close', reused: call.reusedSocket }
            response.resume()
              .on('end', () => resolve(answer))
              .on('error', (error: NodeJS.ErrnoException) => resolve({ ...answer, error: error.code ?? error.message }))
          })
          call.on('error', (error: NodeJS.ErrnoException) => resolve({ status: 0, last: false, reused: call.reusedSocket, error: error.code ?? error.message }))
            .setTimeout(30_000, () => call.destroy(new Error('no answer'))).end()
        })
      }
    }
  }
}
