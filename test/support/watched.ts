// The application with its doors to the database watched, its log kept, and routes added that the tests need.
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { answerErrors, asProblem } from '../../src/routes/errors.ts'
import { createDirectory } from '../../src/tenancy/directory.ts'
import { type TestDatabase, testTenancy } from './database.ts'
import { secretOf, signIn } from './signed-in.ts'
import { type Answer, request, send } from './wire.ts'

export interface Case { name: string, bytes: string | Buffer, status: number, code?: string, allow?: string, cut?: boolean }

export interface Watched {
  readonly port: number
  send (bytes: string | Buffer): Promise<Answer>
  /** Times that a tenant's transaction was begun (its slot is taken after that), or the directory asked. */
  readonly calls: { tenant: number, directory: number }
  /** Everything that was logged, from debug up. */
  log (): string
  /** Each case is refused as it says, without a tenant's transaction and in words of ours; then a good request is served. */
  refuses (t: Test, cases: Case[]): Promise<void>
}

export const secret = secretOf('tenant-0.localhost')
/** What every request of an account's carries. */
export const ours = ['Host: tenant-0.localhost', `Cookie: session=${secret}`, 'Sec-Fetch-Site: same-origin']

/**
 * @param tenanted adds routes to a tenanted scope at /test, which answers errors as problems
 * @param url where tenants' transactions find the database
 */
export async function watchedSite (
  t: Test, database: TestDatabase, tenanted: (scope: FastifyInstance) => void = () => {}, url = database.appUrl
): Promise<Watched> {
  await signIn(database.admin)
  const tenancy = testTenancy(t, database, { url })
  const directory = createDirectory(database.appUrl)
  t.teardown(() => directory.close())
  const calls = { tenant: 0, directory: 0 }
  let log = ''
  const app = await buildApp({
    tenancy: { ...tenancy, begin (...args) { calls.tenant++; return tenancy.begin(...args) } },
    directory: { ...directory, resolve (host) { calls.directory++; return directory.resolve(host) } },
    ready: async () => {},
    baseDomain: 'localhost',
    trustProxy: [],
    maxDelay: 0, // it stands still for what the test does
    logger: { level: 'debug', stream: { write (line: string) { log += line } } }
  })
  await app.register(async api => {
    answerErrors(api, asProblem)
    await api.register(async scope => {
      api.tenanted(scope)
      tenanted(scope)
    })
  }, { prefix: '/test' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { port } = app.server.address() as { port: number }

  return {
    port,
    calls,
    log: () => log,
    send: bytes => send(port, bytes),
    async refuses (t, cases) {
      for (const { name, bytes, status, code, allow, cut } of cases) {
        const before = calls.tenant
        const answer = await send(port, bytes, cut)
        t.match({ status: answer.status, code: answer.code, allow: answer.headers.allow }, { status, code, allow }, `${name}: ${answer.text.slice(0, 80)}`)
        t.equal(calls.tenant, before, `${name}: no transaction`)
        if (answer.code) t.same(Object.keys(JSON.parse(answer.body)), ['type', 'status', 'code', 'title'], name)
        t.notMatch(answer.body, /\n\s+at |node_modules|(?<!\/assets\/[0-9a-f]{12})\.[cm]?[jt]s\b|postgres|pg_|sqlstate|relation|FST_|HPE_|Error:/i, `${name}: words of ours`)
      }
      t.equal((await send(port, request('GET /api/subtasks HTTP/1.1', ours))).status, 200, 'and it goes on serving')
      t.notMatch(log, secret, 'no secret in the log')
      t.notMatch(log, /rawPacket|"type":"Buffer"/, 'nor the bytes of one')
      t.notMatch(log, /"level":[56]0/, 'and nothing there that would wake anybody')
    }
  }
}
