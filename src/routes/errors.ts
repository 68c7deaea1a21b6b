// Throw anywhere; it is answered here, once: as a page for people, as a problem (RFC 9457) for programs.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, asAppError, sqlState } from '../errors.ts'
import { errorPage } from '../views/plain.ts'

type Answer = (reply: FastifyReply, status: number, code: string, message: string) => FastifyReply

export const asPage: Answer = (reply, status, code, message) =>
  reply.code(status).type('text/html; charset=utf-8').send(errorPage(status, message, code !== 'host_not_served' && code !== 'account_not_found'))

export const asProblem: Answer = (reply, status, code, message) =>
  reply.code(status).type('application/problem+json').serializer(String).send(JSON.stringify({ type: 'about:blank', status, code, title: message }))

/** Makes a scope answer its errors, and addresses that it does not have, in this way. */
export function answerErrors (scope: FastifyInstance, answer: Answer): void {
  scope.setErrorHandler((error, request, reply) => answerError(error, request, reply, answer))
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
  return answer(reply, status, code, message)
}

function reasonOf (error: unknown): string {
  const { cause } = error as Error
  return cause instanceof Error ? reasonOf(cause) : String((error as Error).message)
}

function known (error: unknown) {
  const { statusCode, code, message } = asAppError(error)
  return { status: statusCode, code, message }
}

/** What Fastify and its plugins refuse before a route runs: a bad query, body, URL or header. Only Fastify's own words are handed on. */
function clientError (error: unknown) {
  const { statusCode: status = 500, validation, validationContext, code } = error as Partial<FastifyError>
  if (error instanceof AppError || status < 400 || status >= 500) return undefined
  if (validation) return { status, code: 'bad_request', message: explain(validation[0]!, validationContext) }
  const message = code?.startsWith('FST_') ? (error as Error).message.replace(/\.?$/, '.') : new AppError('bad_request').message
  return { status, code: 'bad_request', message }
}

function explain ({ keyword, instancePath, params, message }: NonNullable<FastifyError['validation']>[0], context = 'request'): string {
  if (keyword === 'additionalProperties') return `The ${context} has no parameter "${String(params.additionalProperty)}".`
  return `In the ${context}, ${instancePath.slice(1) || 'it'} ${message}.`
}
