// A server that is a process of its own (serving.ts), which can be stopped, and clients that keep their connection.
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { furnish } from './accounts.ts'
import { type Running, start } from './cli.ts'
import { type TestDatabase, testDatabase } from './database.ts'
import { asSignedIn, noLimits, signIn } from './signed-in.ts'

/** `error` is Node's code; `reused`, whether the connection had carried a request before. */
export interface Said { status: number, last: boolean, reused: boolean, body?: string, error?: string }

type Known = Pick<TestDatabase, 'appUrl' | 'admin' | 'pooled'>

export interface LogLine { level: number, pid: number, event?: string, msg: string, [more: string]: unknown }

export interface Client {
  call (method: 'GET' | 'POST', path: string): Promise<Said>
}

export interface ServerProcess {
  readonly database: Known
  readonly running: Running
  readonly port: number
  client (account?: number): Client
  /** The processes that have begun to listen, as far as the log (level info) has said so. */
  pids (): Promise<number[]>
  /** Resolves to the log's line of this event once it is there, with what else is wanted of it. */
  logged (event: string, wanted?: (line: LogLine) => boolean): Promise<LogLine>
  /** Names of /test/pair of which not exactly two rows were kept, with how many were. */
  halves (): Promise<Record<string, number>>
  pairs (): Promise<Set<string>>
}

/** Those that are whole. */
export const logLines = (out: string): LogLine[] => out.split('\n').slice(0, -1).filter(line => line.startsWith('{')).map(line => JSON.parse(line) as LogLine)

/** With accounts tenant-0 and tenant-1, unless it gets a database that has its own. */
export async function serverProcess (t: Test, environment: Record<string, string> = {}, given?: Known): Promise<ServerProcess> {
  const database = given ?? await furnished(t)
  await signIn(database.admin)
  const running = start(t, [], {
    DATABASE_URL: database.appUrl, PREPARED_STATEMENTS: database.pooled ? 'off' : 'on', HOST: '127.0.0.1', PORT: '0', POOL_MAX: '20', ...noLimits, ...environment
  }, 'dist/test/support/serving.js')
  const port = Number(/It listens on (\d+)\./.exec(await running.printed(/It listens on \d+\./))![1])
  const rows = async () => Object.fromEntries((await database.admin<{ name: string, n: number }[]>`
    select name, count(*)::int as n from projects where name like 'pair%' group by name`).map(({ name, n }) => [name, n]))
  return {
    database,
    running,
    port,
    halves: async () => Object.fromEntries(Object.entries(await rows()).filter(([, n]) => n !== 2)),
    pairs: async () => new Set(Object.keys(await rows())),
    pids: async () => logLines(await running.printed(/It listens/)).filter(({ msg }) => msg.startsWith('Server listening')).map(({ pid }) => pid),
    async logged (event, wanted = () => true) {
      for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
        const found = logLines(await running.printed(/It listens/)).find(line => line.event === event && wanted(line))
        if (found) return found
      }
      throw new Error(`The log never said ${event}.`)
    },
    client (account = 0) {
      const host = `tenant-${account}.localhost`
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      t.teardown(() => agent.destroy())
      return {
        call: (method, path) => new Promise(resolve => {
          const call = request({ agent, port, host: '127.0.0.1', method, path, headers: { host, ...asSignedIn(host, method) } }, response => {
            const answer = { status: response.statusCode!, last: response.headers.connection === 'close', reused: call.reusedSocket }
            let body = ''
            response.setEncoding('utf8').on('data', chunk => { body += chunk })
              .on('end', () => resolve({ ...answer, body }))
              .on('error', (error: NodeJS.ErrnoException) => resolve({ ...answer, error: error.code ?? error.message }))
          })
          call.on('error', (error: NodeJS.ErrnoException) => resolve({ status: 0, last: false, reused: call.reusedSocket, error: error.code ?? error.message }))
            .setTimeout(30_000, () => call.destroy(new Error('no answer'))).end()
        })
      }
    }
  }
}

export async function furnished (t: Test): Promise<TestDatabase> {
  const database = await testDatabase(t)
  await furnish(t, database, 3, 3)
  return database
}

/** Two processes, for the environment. */
export const two = { WEB_CONCURRENCY: '2' }

/** Which process answers a new connection. */
export const ask = async ({ client }: ServerProcess) => {
  const { status, body } = await client().call('GET', '/api/test/pid')
  return status === 200 ? Number(body) : `status ${status}`
}

export const isGone = (pid: number) => {
  try { return !process.kill(pid, 0) } catch { return true }
}

export const stop = async ({ running }: ServerProcess, signal: NodeJS.Signals = 'SIGTERM') => {
  running.child.kill(signal)
  return running.ended
}
