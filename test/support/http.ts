// The application over real HTTP, on a free port of the loopback. Node's fetch ignores a host header; node:http does not.
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import type { FastifyPluginAsync } from 'fastify'
import { loadConfig } from '../../src/config.ts'
import { startServer } from '../../src/server.ts'
import { type Owner, type TestDatabase, failLate } from './database.ts'
import { hostsIn, watchLeaks } from './leaks.ts'
import { asSignedIn, bare, noLimits, signIn } from './signed-in.ts'

export interface Reply { status: number, headers: IncomingHttpHeaders, body: string, json: <T = any>() => T }

export interface Site {
  port: number
  /** As the owner of the host's account, unless the headers have a cookie or an authorization, which may be empty. */
  get (host: string, path: string, options?: { method?: string, headers?: Record<string, string>, payload?: string }): Promise<Reply>
  /** Bytes as they are; what comes back until the server closes, or a second passes. */
  raw (text: string): Promise<string>
  /** The lines of the log that would wake somebody. */
  readonly errors: readonly string[]
  close (): Promise<void>
}

/** @param more routes of the tenanted API */
export async function testSite (
  t: Owner, database: Pick<TestDatabase, 'admin' | 'appUrl' | 'pooled'>, environment: Record<string, string> = {}, more?: FastifyPluginAsync
): Promise<Site> {
  const prepared = database.pooled ? 'off' : 'on'
  const config = loadConfig({ PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'silent', POOL_MAX: '4', PREPARED_STATEMENTS: prepared, ...noLimits, ...environment }, false)
  await signIn(database.admin)
  const watch = watchLeaks(database, config.trustProxy.includes('127.0.0.1'))
  const server = await startServer(config, database.appUrl, watch.logger, { more, maxDelay: 0 }) // it stands still for what the test does
  let closed = false
  const close = async () => {
    if (!closed) await server.close()
    closed = true
  }
  t.teardown(async () => {
    await close()
    try {
      watch.checkLog() // what was said after the last reply
    } catch (leak) {
      failLate(t, (leak as Error).message)
    }
  })
  const { port } = server
  return {
    port,
    errors: watch.errors,
    close,
    get: (host, path, { method = 'GET', headers: given = {}, payload } = {}) => new Promise((resolve, reject) => {
      const anyone = given.cookie === undefined && given.authorization === undefined
      const headers = anyone ? { ...asSignedIn(bare(watch.hostOf(host, given)), method), ...given } : given
      watch.expect(headers)
      const call = request({ port, host: '127.0.0.1', path, method, headers: { host, ...headers }, agent: false }, response => {
        let body = ''
        response.setEncoding('utf8').on('data', chunk => { body += chunk }).on('end', () => {
          const reply = { status: response.statusCode!, headers: response.headers, body, json: () => JSON.parse(body) }
          watch.expect(response.headers)
          const said = [response.statusMessage, ...response.rawHeaders, body].join('\n')
          watch.checkReply([watch.hostOf(host, headers)], said).then(() => resolve(reply), reject)
        })
      })
      call.on('error', reject).setTimeout(20_000, () => call.destroy(new Error('no answer'))).end(payload)
    }),
    raw: text => new Promise((resolve, reject) => {
      let said = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
      socket.setTimeout(1000, () => socket.destroy())
      socket.on('data', chunk => { said += chunk.toString('latin1') }).on('close', () => {
        watch.checkReply(hostsIn(text), said).then(() => resolve(said), reject)
      }).on('error', reject)
    })
  }
}
