// A POST that bears an Idempotency-Key takes effect once, however often it is sent: after a commit_unknown, say, or a reply that was
// lost. The key's row is written in the request's own transaction, so it is there exactly if the change is. A repetition that comes while
// the first one still runs waits for it in PostgreSQL, on the unique key, as long as for any lock: who repeats wants the answer. For a day.
import { createHash } from 'node:crypto'
import { lt } from 'drizzle-orm'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { idempotencyKeys } from '../db/schema.ts'
import { AppError, sqlState } from '../errors.ts'
import { hourly } from './hourly.ts'
import type { Row } from './query.ts'

const lifetime = 24 * 3_600_000 // ms

/**
 * The key of a request, if it is one that has one. Other methods need none: they take effect once by what they mean.
 * @throws {AppError} bad_request
 */
export function idempotencyKey ({ method, headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  if (method !== 'POST' || key === undefined) return undefined
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new AppError('bad_request', { message: 'An Idempotency-Key is one word of 1 to 255 visible ASCII characters, such as a UUID.' })
}

/**
 * Takes the key for this request. False if the request has been answered before: then that is the reply, and it is on its way.
 * @throws {AppError} idempotency_key_reused; shown_once; in_progress if the first one takes longer than one waits for a lock
 */
export async function claim (key: string, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const { tenant } = request
  const fingerprint = fingerprintOf(request)
  const insert = () => tenant.nested(tenant.account, inner => inner.insert(idempotencyKeys, { key, fingerprint })).then(() => true, error => {
    if (sqlState(error) === '23505') return false
    throw sqlState(error) === '55P03' ? new AppError('in_progress', { cause: error }) : error
  })
  if (await insert()) return true
  const stored = await tenant.get(idempotencyKeys, { key })
  if (!stored || stored.createdAt.getTime() < Date.now() - lifetime) {
    await tenant.delete(idempotencyKeys, { key })
    if (await insert()) return true
    throw new AppError('in_progress')
  }
  if (stored.fingerprint !== fingerprint) throw new AppError('idempotency_key_reused')
  if (request.routeOptions.config.showsSecret) throw new AppError('shown_once')
  repeat(stored, reply)
  return false
}

/** Writes down what is being answered, for the next time. To be called before the commit. */
export async function keep (key: string, { tenant, routeOptions }: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void> {
  if (payload !== null && payload !== undefined && typeof payload !== 'string') throw new TypeError('A reply that may have to be repeated must be text.')
  const text = (name: string) => reply.getHeader(name)?.toString() ?? null
  await tenant.update(idempotencyKeys, { key }, {
    status: reply.statusCode, contentType: text('content-type'), location: text('location'), body: routeOptions.config.showsSecret ? null : payload ?? null
  })
}

function repeat ({ status, contentType, location, body }: Row<typeof idempotencyKeys>, reply: FastifyReply): void {
  reply.code(status!).header('idempotency-replayed', 'true')
  if (contentType) reply.header('content-type', contentType)
  if (location) reply.header('location', location)
  reply.serializer(String).send(body ?? undefined)
}

/** What the same request has in common. The body as it was parsed: the same bytes give the same. */
function fingerprintOf ({ method, url, body }: FastifyRequest): string {
  return createHash('sha256').update(JSON.stringify([method, url, body ?? null])).digest('hex')
}

/** Removes keys that have had their day. */
export const oldKeys = () => hourly(tenant => tenant.delete(idempotencyKeys, lt(idempotencyKeys.createdAt, new Date(Date.now() - lifetime))))
