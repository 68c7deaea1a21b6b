import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { roles } from '../../auth/roles.ts'
import { invite, listInvitations, withdraw } from '../../people/invitations.ts'
import { changeUser, getUser, listUsers } from '../../people/users.ts'
import type { Filled } from '../../views/forms.ts'
import { type MemberChange, invitedPage, memberPage, membersPage } from '../../views/members.ts'
import { linkTo } from '../invitations.ts'
import type { PageNumber } from '../../views/pager.ts'
import { numbered } from '../numbered.ts'
import { byId } from '../resource.ts'
import { email, id } from '../text.ts'
import { asked, changedMeanwhile, expected, form, frameOf, mistakes, seen, seeOther, sendPage } from './page.ts'

const perPage = 50
const question = Type.Object(asked, { additionalProperties: false })
const role = Type.Enum([...roles])
const byUser = Type.Object({ userId: id() }, { additionalProperties: false })
const fields = { email: 'Give an e-mail address in full, such as name@example.com.' }

export const memberPages: FastifyPluginAsyncTypebox = async app => {
  app.get('/members', { schema: { querystring: question } }, (request, reply) => showAll(request, reply, request.query.page))

  app.post('/members', { schema: form({ email: email(), role }), config: { may: 'manageUsers', fields } }, async (request, reply) => {
    const filled = mistakes(request)
    if (filled) return showAll(request, reply.code(422), 1, filled)
    const { email, role } = request.body
    try {
      const { secret, expiresAt } = await invite(request, { email: email.toLowerCase(), role })
      return sendPage(reply.code(201), invitedPage(await frameOf(request), { email, link: linkTo(request, secret), expiresAt }))
    } catch (error) {
      const { statusCode, message } = expected(error, 'email_taken')
      return showAll(request, reply.code(statusCode), 1, { values: request.body, errors: { email: message } })
    }
  })

  app.post('/invitations/:id/withdrawal', { schema: { params: byId }, config: { may: 'manageUsers' } }, async (request, reply) => {
    await withdraw(request, request.params.id)
    return seeOther(reply, '/members/', 'withdrawn')
  })

  app.get('/members/:userId', { schema: { params: byUser }, config: { may: 'manageUsers' } }, (request, reply) => show(request, reply, request.params.userId))

  app.post('/members/:userId', {
    schema: { params: byUser, ...form({ version: seen, role, active: Type.Enum(['yes', 'no']) }) }, config: { may: 'manageUsers' }
  }, async (request, reply) => {
    const { params: { userId }, body: { version, role, active } } = request
    try {
      await changeUser(request, userId, { role, isActive: active === 'yes' }, Number(version))
    } catch (error) {
      const { code, statusCode, message } = expected(error, 'precondition_failed', 'owner_only', 'last_owner')
      return show(request, reply.code(statusCode), userId, { values: { role, active }, refused: code === 'precondition_failed' ? changedMeanwhile : message })
    }
    return seeOther(reply, '/members/', 'saved')
  })
}

async function showAll (request: FastifyRequest, reply: FastifyReply, page: PageNumber = 1, filled?: Filled): Promise<FastifyReply> {
  const { tenant } = request
  const [members, invitations, frame] = await Promise.all([
    numbered(page, perPage, page => listUsers(tenant, page)), numbered(1, perPage, page => listInvitations(tenant, page)), frameOf(request)
  ])
  return sendPage(reply, membersPage(frame, { members, invitations }, filled))
}

async function show (request: FastifyRequest, reply: FastifyReply, id: string, filled: Omit<MemberChange, 'member'> = {}): Promise<FastifyReply> {
  const [member, frame] = await Promise.all([getUser(request.tenant, id), frameOf(request)])
  return sendPage(reply, memberPage(frame, { ...filled, member }))
}
