// The application over real HTTP, on a free port of the loopback. Node's fetch ignores a host header; node:http does not.
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import type { FastifyPluginAsync } from 'fastify'
import type { Test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import { startServer } from '../../src/server.ts'
import type { TestDatabase } from './database.ts'

export interface Reply { status: number, headers: IncomingHttpHeaders, body: string, json: <T = any>() => T }

export interface Site {
  port: number
  get (host: string, path: string, options?: { method?: string, headers?: Record<string, string>, body?: string }): Promise<Reply>
  /** Bytes as they are; what comes back until the server closes, or a second passes. */
  raw (text: string): Promise<string>
  close (): Promise<void>
}

/** @param more routes of the tenanted API */
export async function testSite (
  t: Test, database: Pick<TestDatabase, 'appUrl'>, environment: Record<string, string> = {}, more?: FastifyPluginAsync
): Promise<Site> {
  const config = loadConfig({ PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'silent', POOL_MAX: '4', ...environment }, false)
  const server = await startServer(config, database.appUrl, { level: 'silent' }, more)
  let closed = false
  const close = async () => {
    if (!closed) await server.close()
    closed = true
  }
  t.teardown(close)
  const { port } = server
  return {
    port,
    close,
    get: (host, path, { method = 'GET', headers = {}, body: sent }: { method?: string, headers?: Record<string, string>, body?: string } = {}) => new Promise((resolve, reject) => {
      const call = request({ port, host: '127.0.0.1', path, method, headers: { host, ...headers }, agent: false }, response => {
        let body = ''
        response.setEncoding('utf8').on('data', chunk => { body += chunk }).on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body, json: () => JSON.parse(body) }))
      })
      call.on('error', reject).setTimeout(20_000, () => call.destroy(new Error('no answer'))).end(sent)
    }),
    raw: text => new Promise((resolve, reject) => {
      let said = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
      socket.setTimeout(1000, () => socket.destroy())
      socket.on('data', chunk => { said += chunk.toString('latin1') }).on('close', () => resolve(said)).on('error', reject)
    })
  }
}
