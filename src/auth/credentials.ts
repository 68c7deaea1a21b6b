// What a request says of who makes it: a session's cookie, or an API token. Nothing is looked up here.
import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { isRead } from '../tenancy/request.ts'
import { isSecret } from './secrets.ts'

export interface Credentials {
  readonly kind: 'session' | 'token'
  readonly secret: string
}

/** API tokens begin with it, so that they are known for what they are wherever they turn up. */
export const tokenPrefix = 'rowhouse_'

/**
 * @returns undefined if it says nothing, or what cannot be a secret of ours
 * @throws {AppError} cookie_repeated; cross_site
 */
export function credentialsOf (request: FastifyRequest): Credentials | undefined {
  const { authorization } = request.headers
  if (authorization !== undefined) { // a program, which says so itself: no browser was led to send this
    const [, secret = ''] = new RegExp(`^Bearer ${tokenPrefix}(\\S+)$`, 'i').exec(authorization) ?? []
    return isSecret(secret) ? { kind: 'token', secret } : undefined
  }
  const secret = cookieOf(request)
  if (secret === undefined || !isSecret(secret)) return undefined
  mustBeOurOwn(request)
  return { kind: 'session', secret }
}

/**
 * A browser sends the cookie whoever made it ask; pages of other accounts count as the same site, so SameSite is no help against them.
 * What changes anything must come from a page of this very host.
 * @throws {AppError} cross_site
 */
export function mustBeOurOwn (request: FastifyRequest): void {
  if (isRead(request)) return
  const { headers, protocol, host } = request
  const site = headers['sec-fetch-site']
  if (site === undefined ? headers.origin !== `${protocol}://${host}` : site !== 'same-origin') throw new AppError('cross_site')
}

/** `__Host-` keeps a sibling's page from setting it for us, and needs TLS; so on the loopback address without TLS it goes by another name. */
const cookieName = (request: FastifyRequest) => isPlainLoopback(request) ? 'session' : '__Host-session'
const cookies = { session: /(?:^|;)\s*session=([^;]*)/, '__Host-session': /(?:^|;)\s*__Host-session=([^;]*)/ }
const isPlainLoopback = ({ protocol, hostname }: FastifyRequest) => protocol === 'http' && /(^|\.)localhost$|^127\.0\.0\.1$/.test(hostname)

/** @throws {AppError} cookie_repeated: which of the two is ours, nobody can tell */
function cookieOf (request: FastifyRequest): string | undefined {
  const { cookie } = request.headers
  if (cookie === undefined) return undefined
  const pattern = cookies[cookieName(request)]
  const found = pattern.exec(cookie)
  if (!found) return undefined
  if (pattern.test(cookie.slice(found.index + found[0].length))) throw new AppError('cookie_repeated')
  return found[1]!.trimEnd()
}

/** @param lifetime milliseconds; 0 has the browser forget it */
export function setCookie (request: FastifyRequest, reply: FastifyReply, secret: string, lifetime: number): void {
  reply.header('set-cookie', fastifyCookie.serialize(cookieName(request), secret, {
    path: '/', httpOnly: true, sameSite: 'lax', secure: !isPlainLoopback(request), maxAge: Math.floor(lifetime / 1000)
  }))
}
