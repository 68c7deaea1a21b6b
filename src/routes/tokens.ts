import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { scopes } from '../auth/roles.ts'
import { createToken, listTokens, revokeToken, tokenDays } from '../people/tokens.ts'
import { problems } from './problem.ts'
import { byId, gone, idempotent, pageOf, pageQuery } from './resource.ts'
import { id, moment, name } from './text.ts'

const fields = {
  name: name({ description: 'What it is for', examples: ['Nightly report'] }),
  scope: Type.Enum([...scopes], { description: 'What it may be used for: to read, or to change things as well' })
}
const example = {
  id: '019ac1f3-66b1-7f02-8b2d-0123456789ab', name: 'Nightly report', scope: 'read', createdAt: '2026-01-05T09:30:00.000Z', usedAt: null, expiresAt: '2026-04-05T09:30:00.000Z'
}
const token = Type.Object({
  id: id(),
  ...fields,
  createdAt: moment(),
  usedAt: Type.Union([moment(), Type.Null()], { description: 'When it was last used, to within an hour' }),
  expiresAt: moment()
}, { description: 'An API token', examples: [example] })
const { min: minimum, max: maximum } = tokenDays
const newToken = Type.Object({
  ...fields,
  days: Type.Optional(Type.Integer({ minimum, maximum, default: tokenDays.default, description: 'How long it is good' }))
}, { additionalProperties: false, description: 'A token to be made', examples: [{ name: 'Nightly report', scope: 'read', days: 90 }] })
const secret = 'rowhouse_9QXvbB0uO3l2TTfJ8yfVh1m7dK6hUZk1WcEo5sRgAaM'
const made = Type.Object({
  ...token.properties,
  token: Type.String({ description: 'For `Authorization: Bearer`. It is not shown again', examples: [secret] })
}, { description: 'The token', examples: [{ ...example, token: secret }] })

/** One's own, and only for people: a token cannot make another one, or look for them. */
export const tokenApi: FastifyPluginAsyncTypebox = async app => {
  const tags = ['my account']

  app.get('/tokens', {
    config: { may: 'manageSelf' },
    schema: {
      summary: 'List my API tokens',
      description: 'A page of them, newest first, without what they are signed in with. Takes a session: a token is not told of others.',
      tags,
      querystring: pageQuery,
      response: { 200: pageOf('tokens', token), ...problems }
    }
  }, async request => {
    const { limit = 10, cursor } = request.query
    const { rows, next } = await listTokens(request, { limit, from: cursor })
    return { limit, next: next(), tokens: rows }
  })

  app.post('/tokens', {
    config: { may: 'manageSelf', showsSecret: true },
    schema: {
      summary: 'Make an API token',
      description: 'It may do what I may, within its scope, and is shown in this reply only. Takes a session: a token cannot make another one.',
      tags,
      headers: idempotent,
      body: newToken,
      response: { 201: made, ...problems }
    }
  }, async (request, reply) => reply.code(201).send(await createToken(request, request.body)))

  app.delete('/tokens/:id', {
    config: { may: 'manageSelf' },
    schema: {
      summary: 'Revoke one of my API tokens',
      description: 'It is refused from now on.',
      tags,
      params: byId,
      response: gone
    }
  }, async (request, reply) => {
    await revokeToken(request, request.params.id)
    return reply.code(204).send(null)
  })
}
