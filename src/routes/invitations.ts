import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { endSession, openSession } from '../auth/sessions.ts'
import { AppError } from '../errors.ts'
import { accept, findInvitation, invite, listInvitations, withdraw } from '../people/invitations.ts'
import { type InvitationForm, invitationPage } from '../views/invitation.ts'
import { formats } from './input.ts'
import { problems } from './problem.ts'
import { byId, gone, idempotent, pageOf, pageQuery } from './resource.ts'
import { email, id, moment, role } from './text.ts'

/** What the invited person opens. We send no mail: whoever invites passes it on. */
export const linkTo = ({ protocol, host }: FastifyRequest, secret: string) => `${protocol}://${host}/invitations/${secret}`

const example = {
  id: '019ac1f4-91c3-7d5e-a0f8-0123456789ab',
  email: 'bea@example.com',
  role: 'member',
  invitedBy: 'ann@example.com',
  createdAt: '2026-01-05T09:30:00.000Z',
  expiresAt: '2026-01-12T09:30:00.000Z'
}
const invitation = Type.Object({
  id: id(),
  email: email(),
  role,
  invitedBy: Type.String({ description: 'An e-mail address' }),
  createdAt: moment(),
  expiresAt: moment()
}, { description: 'An invitation', examples: [example] })
const newInvitation = Type.Object({ email: email(), role }, {
  additionalProperties: false,
  description: 'Whom to invite, and as what',
  examples: [{ email: 'bea@example.com', role: 'member' }]
})
const made = Type.Object({
  ...invitation.properties,
  link: Type.String({ description: 'For whoever is invited, who opens it, and chooses a password. It is not shown again' })
}, {
  description: 'The invitation',
  examples: [{ ...example, link: 'https://archer.example.com/invitations/9QXvbB0uO3l2TTfJ8yfVh1m7dK6hUZk1WcEo5sRgAaM' }]
})

export const invitationApi: FastifyPluginAsyncTypebox = async app => {
  const tags = ['invitations']

  app.get('/invitations', {
    config: { may: 'manageUsers' },
    schema: {
      summary: 'List invitations',
      description: 'A page of those that nobody has accepted, newest first.',
      tags,
      querystring: pageQuery,
      response: { 200: pageOf('invitations', invitation), ...problems }
    }
  }, async ({ tenant, query: { limit = 10, cursor } }) => {
    const { rows, next } = await listInvitations(tenant, { limit, from: cursor })
    return { limit, next: next(), invitations: rows }
  })

  app.post('/invitations', {
    config: { may: 'manageUsers', showsSecret: true },
    schema: {
      summary: 'Invite somebody',
      description: 'Makes a link that is good once, for a week, and is shown in this reply only. No mail is sent: pass it on. ' +
        'An earlier invitation to the same address ends. Only an owner invites an owner.',
      tags,
      headers: idempotent,
      body: newInvitation,
      response: { 201: made, ...problems }
    }
  }, async (request, reply) => {
    const { email, role } = request.body
    const { secret, ...invitation } = await invite(request, { email: email.toLowerCase(), role })
    return reply.code(201).send({ ...invitation, link: linkTo(request, secret) })
  })

  app.delete('/invitations/:id', {
    config: { may: 'manageUsers' },
    schema: {
      summary: 'Withdraw an invitation',
      description: 'Its link leads nowhere from now on.',
      tags,
      params: byId,
      response: gone
    }
  }, async (request, reply) => {
    await withdraw(request, request.params.id)
    return reply.code(204).send(null)
  })
}

const params = Type.Object({ secret: Type.String() })
const form = Type.Object({ firstName: Type.String(), lastName: Type.String(), password: Type.String() }, { additionalProperties: false })
type Invited = FastifyRequest<{ Params: Static<typeof params>, Body: Static<typeof form> }>

/** What the link leads to: open to whoever has it, once. */
export async function invitationPages (app: FastifyInstance) {
  app.get('/invitations/:secret', { config: { open: true }, schema: { params } }, async (request, reply) =>
    show(request, reply, await findInvitation(request.tenant, (request as Invited).params.secret)))

  app.post('/invitations/:secret', { config: { open: true }, schema: { params, body: form } }, async (request, reply) => {
    const { params: { secret }, body } = request as Invited
    const again = async (problem: string, field: InvitationForm['field'], status = 400) => {
      const invitation = await request.withTenant(tenant => findInvitation(tenant, secret), 'read only')
      return show(request, reply.code(status), { ...invitation, ...body, problem, field })
    }
    const unnamed = (['firstName', 'lastName'] as const).find(field => !isName(body[field]))
    if (unnamed) return again('Give your name: one line of up to 500 characters.', unnamed)
    try {
      const { id } = await accept(request, secret, body)
      await endSession(request.tenant, request)
      await openSession(request.tenant, id, request, reply)
    } catch (error) {
      if (!(error instanceof AppError) || !shown.includes(error.code)) throw error
      return again(error.message, 'password', error.statusCode)
    }
    return reply.redirect('/', 303)
  })
}

/** What whoever is invited can do something about: it is said where they can do it. */
const shown: readonly string[] = ['weak_password', 'email_taken', 'too_many_requests']

const show = ({ account }: FastifyRequest, reply: FastifyReply, filled: InvitationForm) =>
  reply.type('text/html; charset=utf-8').send(invitationPage(account, filled))

const isName = (text: string) => [...text].length <= 500 && formats.name!.passes.test(text)
