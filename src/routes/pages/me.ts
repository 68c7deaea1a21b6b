import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { scopes } from '../../auth/roles.ts'
import { openSession } from '../../auth/sessions.ts'
import { changeMyName, changePassword } from '../../people/me.ts'
import { endOtherSessions, endSession, listSessions } from '../../people/sessions.ts'
import { createToken, listTokens, revokeToken } from '../../people/tokens.ts'
import { getUser } from '../../people/users.ts'
import { type FilledMe, mePage, tokenPage } from '../../views/me.ts'
import { id, text } from '../text.ts'
import { named, sentences } from './fields.ts'
import { expected, form, frameOf, mistakes, noticed, seeOther, seen, sendPage } from './page.ts'

const bySession = Type.Object({ sessionId: id() }, { additionalProperties: false })
const byToken = Type.Object({ apiTokenId: id() }, { additionalProperties: false })
const manageSelf = { may: 'manageSelf' } as const
const most = 100

const personal = text(100, { description: 'Of a person' })
const tooLong = 'A name may have up to 100 characters, all of which can be stored.'

export const myPages: FastifyPluginAsyncTypebox = async app => {
  app.get('/me', { schema: { querystring: noticed }, config: manageSelf }, (request, reply) => show(request, reply))

  app.post('/me/name', {
    schema: form({ version: seen, firstName: personal, lastName: personal }),
    config: { ...manageSelf, fields: { firstName: tooLong, lastName: tooLong } }
  }, async (request, reply) => {
    const name = mistakes(request)
    if (name) return show(request, reply.code(422), { name })
    const { version, ...change } = request.body
    try {
      await changeMyName(request, change, Number(version))
    } catch (error) {
      const { statusCode, message } = expected(error, 'precondition_failed')
      return show(request, reply.code(statusCode), { name: { values: change, errors: { lastName: message } } })
    }
    return seeOther(reply, '/me/', 'saved')
  })

  app.post('/me/password', { schema: form({ current: text(1_000), password: text(1_000) }), config: { ...manageSelf, admitFirst: true } }, async (request, reply) => {
    const { current, password } = request.body
    try {
      const { id } = await changePassword(request, current, password)
      await openSession(request.tenant, id, request, reply)
    } catch (error) {
      const { code, statusCode, headers, message } = expected(error, 'password_wrong', 'weak_password', 'too_many_attempts', 'too_many_requests')
      return show(request, reply.code(statusCode).headers(headers), { password: { errors: { [code === 'weak_password' ? 'password' : 'current']: message } } })
    }
    return seeOther(reply, '/me/', 'password-changed')
  })

  app.post('/me/sessions/:sessionId/end', { schema: { params: bySession }, config: manageSelf }, async (request, reply) => {
    await endSession(request, request.params.sessionId)
    return seeOther(reply, '/me/', 'session-ended')
  })

  app.post('/me/sessions/end-others', { config: manageSelf }, async (request, reply) => {
    await endOtherSessions(request)
    return seeOther(reply, '/me/', 'others-ended')
  })

  app.post('/me/tokens', {
    schema: form({ name: named, scope: Type.Enum([...scopes]), days: Type.Enum(['30', '90', '365']) }), config: { ...manageSelf, fields: sentences }
  }, async (request, reply) => {
    const token = mistakes(request)
    if (token) return show(request, reply.code(422), { token })
    const { name, scope, days } = request.body
    const made = await createToken(request, { name, scope, days: Number(days) })
    return sendPage(reply.code(201), tokenPage(await frameOf(request), made))
  })

  app.post('/me/tokens/:apiTokenId/revocation', { schema: { params: byToken }, config: manageSelf }, async (request, reply) => {
    await revokeToken(request, request.params.apiTokenId)
    return seeOther(reply, '/me/', 'token-revoked')
  })
}

async function show (request: FastifyRequest, reply: FastifyReply, filled?: FilledMe): Promise<FastifyReply> {
  const [frame, { id }, sessions, tokens] = await Promise.all([
    frameOf(request), request.user(), listSessions(request, { limit: most }), listTokens(request, { limit: most })
  ])
  const me = await getUser(request.tenant, id)
  return sendPage(reply, mePage(frame, { ...me, sessions: sessions.rows, tokens: tokens.rows }, filled))
}
