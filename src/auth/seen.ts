// When a session or an API token was last used: moved on once an hour at the most, once the reply has left, in a transaction of its own.
// Sessions are idle after days, so an hour is exact enough; each time costs every session that is in use a write.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import { apiTokens, sessions } from '../db/schema.ts'
import type { User } from './admission.ts'

const every = 60 * 60_000 // ms

const toMark = new WeakMap<FastifyRequest, User>()

/** Has the row that let them in marked as used, if it is time. */
export function noteUse (request: FastifyRequest, user: User): void {
  if (user.seenAt === null || Date.now() - user.seenAt.getTime() > every) toMark.set(request, user)
}

export const marksUse = fastifyPlugin(async (app: FastifyInstance) => {
  const marked = new LRUCache<string, true>({ max: 10_000, ttl: 60_000 }) // of many requests at once, one marks it

  app.addHook('onResponse', (request, _reply, done) => {
    const user = toMark.get(request)
    if (user) mark(request, user)
    done()
  })

  function mark (request: FastifyRequest, { session, token }: User): void {
    const id = (session ?? token)!
    if (marked.has(id)) return
    marked.set(id, true)
    const now = new Date()
    request.withTenant(async tenant => {
      if (session === undefined) await tenant.update(apiTokens, { id }, { usedAt: now })
      else await tenant.update(sessions, { id }, { seenAt: now })
    }).catch(error => request.log.warn(error, 'the last use of a session could not be noted'))
  }
})
