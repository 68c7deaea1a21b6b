// The version of a row as its ETag: whoever has it need not be sent it again, and whoever changes it may say which one they have seen.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { AppError } from '../errors.ts'
import { isRead } from '../tenancy/request.ts'

interface Versioned { readonly version: number }

const tagOf = ({ version }: Versioned) => `"${version}"`

/** Sends the row with its ETag; to whoever has this version already, only that (304). */
export function sendVersion<T extends Versioned> (request: FastifyRequest, reply: FastifyReply, row: T): FastifyReply {
  const tag = tagOf(row)
  reply.header('etag', tag)
  const known = request.headers['if-none-match']
  return isRead(request) && known !== undefined && (known.trim() === '*' || tagsIn(known).includes(tag)) ? reply.code(304).send() : reply.send(row)
}

/**
 * The version that whoever asks wants to change; undefined if any will do.
 * @throws {AppError} precondition_failed if it cannot be one of ours; bad_request if there are several
 */
export function seenVersion ({ headers: { 'if-match': wanted } }: FastifyRequest): number | undefined {
  if (wanted === undefined || wanted.trim() === '*') return undefined
  const [tag = '', ...more] = wanted.split(',').map(each => each.trim())
  if (more.length > 0) throw new AppError('bad_request', { message: 'If-Match takes one ETag: that of the version which you have read.' })
  const [, version] = /^"([1-9]\d{0,8})"$/.exec(tag) ?? [] // a weak one never matches here (RFC 9110)
  if (version === undefined) throw new AppError('precondition_failed')
  return Number(version)
}

/** Weak or not, they match for this purpose (RFC 9110). */
const tagsIn = (header: string) => header.split(',').map(each => each.trim().replace(/^W\//, ''))

export const version = Type.Integer({ description: 'One higher with each change; also the ETag', examples: [1] })
const etag = { etag: Type.String({ description: 'The version, for If-None-Match and If-Match', examples: ['"1"'] }) }

/** A response with an ETag, and the one to whoever has it already. */
export const versioned = <T>(schema: T) => ({ ...schema, headers: etag })
export const unchanged = Type.Null({ description: 'You have this version', headers: etag })
export const ifMatch = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'The ETag that you have read; if there is another version by now, nothing is changed (412)' }))
})
export const ifNoneMatch = Type.Object({ 'if-none-match': Type.Optional(Type.String({ description: 'ETags that you have (304)' })) })
