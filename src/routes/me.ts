import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { forgetSession, openSession } from '../auth/sessions.ts'
import { changeMyName, changePassword } from '../people/me.ts'
import { endOtherSessions, endSession, listSessions } from '../people/sessions.ts'
import { getUser } from '../people/users.ts'
import { ifMatch, ifNoneMatch, seenVersion, sendVersion, unchanged, versioned } from './etag.ts'
import { problems } from './problem.ts'
import { byId, gone, pageOf, pageQuery } from './resource.ts'
import { id, moment, name, text } from './text.ts'
import { user } from './users.ts'

const names = { firstName: name({ examples: ['Ann'] }), lastName: name({ examples: ['Archer'] }) }
const changes = Type.Partial(Type.Object(names), {
  additionalProperties: false,
  minProperties: 1,
  description: 'What is to be different',
  examples: [{ lastName: 'Archer-Bell' }]
})

const newPassword = Type.Object({
  current: text(1_000, { description: 'The password until now' }),
  password: text(1_000, { description: 'The new one: 8 to 128 characters of any kind, and none of those that are tried first', examples: ['correct mule battery'] })
}, {
  additionalProperties: false,
  description: 'Both passwords',
  examples: [{ current: 'hungry paper tiger', password: 'correct mule battery' }]
})

const session = Type.Object({
  id: id(),
  createdAt: moment({ description: 'When I signed in' }),
  seenAt: moment({ description: 'When it was last used, to within an hour' }),
  expiresAt: moment(),
  address: Type.String({ description: 'From where I signed in', examples: ['192.0.2.7'] }),
  userAgent: Type.String({ description: 'What the browser called itself' }),
  isThis: Type.Boolean({ description: 'Whether it is the one that asks' })
}, {
  description: 'A session',
  examples: [{
    id: '019ac1f2-3a10-7e5c-9d77-0123456789ab',
    createdAt: '2026-01-05T09:30:00.000Z',
    seenAt: '2026-01-06T17:05:00.000Z',
    expiresAt: '2026-02-04T09:30:00.000Z',
    address: '192.0.2.7',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    isThis: true
  }]
})

export const myApi: FastifyPluginAsyncTypebox = async app => {
  const tags = ['my account']

  app.get('/me', {
    schema: {
      summary: 'See who I am',
      description: 'The user in whose name this session or API token is.',
      tags,
      headers: ifNoneMatch,
      response: { 200: versioned(user), 304: unchanged, ...problems }
    }
  }, async (request, reply) => sendVersion(request, reply, await getUser(request.tenant, (await request.user()).id)))

  app.patch('/me', {
    config: { may: 'manageSelf' },
    schema: {
      summary: 'Change my name',
      description: 'What the body does not name stays as it is. Of the rest, others decide.',
      tags,
      headers: ifMatch,
      body: changes,
      response: { 200: versioned(user), ...problems }
    }
  }, async (request, reply) => sendVersion(request, reply, await changeMyName(request, request.body, seenVersion(request))))

  app.put('/me/password', {
    config: { may: 'manageSelf', admitFirst: true },
    schema: {
      summary: 'Change my password',
      description: 'Ends all my sessions; the one that asks goes on as a new one, whose cookie is in the reply. API tokens stay.',
      tags,
      body: newPassword,
      response: { 204: Type.Null({ description: 'It is changed' }), ...problems }
    }
  }, async (request, reply) => {
    const { current, password } = request.body
    const { id } = await changePassword(request, current, password)
    await openSession(request.tenant, id, request, reply)
    return reply.code(204).send(null)
  })

  app.get('/me/sessions', {
    config: { may: 'manageSelf' },
    schema: {
      summary: 'List my sessions',
      description: 'A page of them, newest first: where I am signed in.',
      tags,
      querystring: pageQuery,
      response: { 200: pageOf('sessions', session), ...problems }
    }
  }, async request => {
    const { limit = 10, cursor } = request.query
    const { rows, next } = await listSessions(request, { limit, from: cursor })
    return { limit, next: next(), sessions: rows }
  })

  app.delete('/me/sessions/:id', {
    config: { may: 'manageSelf' },
    schema: {
      summary: 'End one of my sessions',
      description: 'Whoever uses it has to sign in again; also if it is the one that asks.',
      tags,
      params: byId,
      response: gone
    }
  }, async (request, reply) => {
    const { id } = request.params
    await endSession(request, id)
    if (id === (await request.user()).session) forgetSession(request, reply)
    return reply.code(204).send(null)
  })

  app.delete('/me/sessions', {
    config: { may: 'manageSelf' },
    schema: {
      summary: 'End my other sessions',
      description: 'All but the one that asks.',
      tags,
      response: gone
    }
  }, async (request, reply) => {
    await endOtherSessions(request)
    return reply.code(204).send(null)
  })
}
