import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { openSession } from '../auth/sessions.ts'
import { changeUser, getUser, listUsers, removeUser } from '../people/users.ts'
import { ifMatch, ifNoneMatch, seenVersion, sendVersion, unchanged, version, versioned } from './etag.ts'
import { problems } from './problem.ts'
import { byId, gone, pageOf, pageQuery } from './resource.ts'
import { email, id, moment, name, role } from './text.ts'

const fields = {
  email: email(),
  firstName: name({ examples: ['Ann'] }),
  lastName: name({ examples: ['Archer'] }),
  role,
  isActive: Type.Boolean({ description: 'Whether they may sign in' })
}
export const user = Type.Object({ id: id(), ...fields, dateJoined: moment(), version }, {
  description: 'A user',
  examples: [{
    id: '019ac1ef-5d20-7b44-8a19-0123456789ab',
    email: 'ann@example.com',
    firstName: 'Ann',
    lastName: 'Archer',
    role: 'admin',
    isActive: true,
    dateJoined: '2026-01-05T09:30:00.000Z',
    version: 3
  }]
})
const changes = Type.Partial(Type.Object(fields), {
  additionalProperties: false,
  minProperties: 1,
  description: 'What is to be different',
  examples: [{ role: 'viewer' }]
})

export const userApi: FastifyPluginAsyncTypebox = async app => {
  const tags = ['users']

  app.get('/users', {
    schema: {
      summary: 'List users',
      description: 'A page of the people of this account, by e-mail address.',
      tags,
      querystring: pageQuery,
      response: { 200: pageOf('users', user), ...problems }
    }
  }, async ({ tenant, query: { limit = 10, cursor } }) => {
    const { rows, next } = await listUsers(tenant, { limit, from: cursor })
    return { limit, next: next(), users: rows }
  })

  app.get('/users/:id', {
    schema: {
      summary: 'Get a user',
      description: 'With their version, which is its ETag.',
      tags,
      params: byId,
      headers: ifNoneMatch,
      response: { 200: versioned(user), 304: unchanged, ...problems }
    }
  }, async (request, reply) => sendVersion(request, reply, await getUser(request.tenant, request.params.id)))

  app.patch('/users/:id', {
    config: { may: 'manageUsers' },
    schema: {
      summary: 'Change a user',
      description: 'What the body does not name stays as it is. Only an owner makes or unmakes an owner, and the last active owner stays one. ' +
        'Another role ends the user\'s sessions; deactivating ends their API tokens, too.',
      tags,
      params: byId,
      headers: ifMatch,
      body: changes,
      response: { 200: versioned(user), ...problems }
    }
  }, async (request, reply) => {
    const { params: { id }, body } = request
    const me = await request.user()
    const change = { ...body, ...body.email !== undefined && { email: body.email.toLowerCase() } }
    const changed = await changeUser(request, id, change, seenVersion(request))
    if (id === me.id && me.session && changed.isActive && changed.role !== me.role) await openSession(request.tenant, id, request, reply)
    return sendVersion(request, reply, changed)
  })

  app.delete('/users/:id', {
    config: { may: 'manageUsers' },
    schema: {
      summary: 'Delete a user',
      description: 'With their sessions and API tokens. To keep them from signing in for a while, deactivate them instead.',
      tags,
      params: byId,
      headers: ifMatch,
      response: gone
    }
  }, async (request, reply) => {
    await removeUser(request, request.params.id, seenVersion(request))
    return reply.code(204).send(null)
  })
}
