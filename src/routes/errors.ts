// Throw anywhere; it is answered here, once: as a page for people, as a problem (RFC 9457) for programs.
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type ErrorCode, asAppError, sqlState } from '../errors.ts'
import { errorPage } from '../views/plain.ts'
import { formats } from './input.ts'

type Answer = (reply: FastifyReply, status: number, code: string, message: string) => FastifyReply

export const asPage: Answer = (reply, status, code, message) => code === 'unauthenticated'
  ? reply.redirect(signInPath(reply.request), 303)
  : reply.code(status).type('text/html; charset=utf-8').send(errorPage(status, message, code !== 'host_not_served' && code !== 'account_not_found'))

/** Back to where they wanted to go, if one can go there. */
const signInPath = ({ method, url }: FastifyRequest) => method === 'GET' && url !== '/' ? `/sign-in?next=${encodeURIComponent(url)}` : '/sign-in'

export const asProblem: Answer = (reply, status, code, message) =>
  reply.code(status).type('application/problem+json').serializer(String).send(problemText(status, code, message))

const problemText = (status: number, code: string, message: string) => JSON.stringify({ type: 'about:blank', status, code, title: message })

/** Makes a scope answer its errors, and addresses that it does not have, in this way. */
export function answerErrors (scope: FastifyInstance, answer: Answer): void {
  scope.setErrorHandler(async (error, request, reply) => answerError(await request.refusal() ?? error, request, reply, answer))
  scope.setNotFoundHandler((request, reply) => answerError(new AppError('not_found'), request, reply, answer))
}

export function answerError (error: unknown, request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const { status, code, message } = clientError(error) ?? known(error)
  if (sqlState(error) === '42501') {
    // Never a user's doing: one of our statements stepped over a wall, and the wall held.
    request.log.error({ err: error, event: 'rls_refusal' }, 'the database refused a statement of ours')
  } else if (status === 503) {
    request.log.warn({ code, reason: reasonOf(error) }, message) // of an outage, the log hears once by itself (server.ts), with all there is to know
  } else if (status >= 500) {
    request.log.error(error)
  }
  if (status === 503 || code === 'in_progress') reply.header('retry-after', '1')
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  if (error instanceof AppError) reply.headers(error.headers)
  return answer(reply, status, code, message)
}

/** For fastify({ clientErrorHandler }): what Node cannot read as HTTP, or not in time. There is no request yet, and so no scope. */
export function answerUnreadable (this: FastifyInstance, { code }: NodeJS.ErrnoException, socket: Duplex): void {
  this.log.debug({ code }, 'a request could not be read') // not the error: it carries the packet, and so perhaps a cookie
  answerSocket(socket, unreadable[code ?? ''] ?? 'bad_request')
}

const unreadable: Record<string, ErrorCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  HPE_HEADER_OVERFLOW: 'headers_too_large'
}

/** Answers with a problem where Fastify has no reply to give, and hangs up. */
export function answerSocket (socket: Duplex, error: ErrorCode, headers: Record<string, string> = {}): void {
  const { statusCode, code, message } = new AppError(error)
  const body = problemText(statusCode, code, message)
  const lines = { 'Content-Type': 'application/problem+json', 'Content-Length': Buffer.byteLength(body), Connection: 'close', ...headers }
  socket.on('error', () => {}) // whoever is there may hang up first
  const head = [`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}`, ...Object.entries(lines).map(([name, value]) => `${name}: ${value}`)]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
  else socket.destroy()
}

function reasonOf (error: unknown): string {
  const { cause } = error as Error
  return cause instanceof Error ? reasonOf(cause) : String((error as Error).message)
}

function known (error: unknown) {
  const { statusCode, code, message } = asAppError(error)
  return { status: statusCode, code, message }
}

/** What Fastify and its plugins refuse before a route runs: a bad query, body, URL or header. Only Fastify's own words on bodies are handed on. */
function clientError (error: unknown) {
  const { statusCode: status = 500, validation, validationContext, code } = error as Partial<FastifyError>
  if (error instanceof AppError || status < 400 || status >= 500) return undefined
  if (validation) return { status, code: 'bad_request', message: explain(validation[0]!, validationContext) }
  if (byStatus[status]) return known(new AppError(byStatus[status]))
  const message = code?.startsWith('FST_ERR_CTP_') ? (error as Error).message.replace(/\.?$/, '.') : new AppError('bad_request').message
  return { status, code: 'bad_request', message }
}

const byStatus: Record<number, ErrorCode> = { 413: 'body_too_large', 414: 'address_too_long', 415: 'unsupported_media_type' }

function explain ({ keyword, instancePath, params, message }: NonNullable<FastifyError['validation']>[0], context = 'request'): string {
  if (keyword === 'additionalProperties') return `The ${context} has no parameter "${String(params.additionalProperty)}".`
  if (keyword === 'enum') return `In the ${context}, ${instancePath.slice(1)} must be one of ${(params.allowedValues as unknown[]).join(', ')}.`
  const { words = message } = formats[keyword === 'format' ? String(params.format) : ''] ?? {}
  return `In the ${context}, ${instancePath.slice(1) || 'it'} ${words}.`
}
