import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { changesOf } from '../audit.ts'
import { progressOf } from '../work/progress.ts'
import { createProject, getProject, listProjects, removeProject, updateProject } from '../work/projects.ts'
import { ifMatch, ifNoneMatch, seenVersion, sendVersion, unchanged, version, versioned } from './etag.ts'
import { problems } from './problem.ts'
import { byId, created, gone, idempotent, listQuery, pageOf } from './resource.ts'
import { id, name, text } from './text.ts'

const fields = {
  name: name({ description: 'What people call it', examples: ['Kitchen'] }),
  details: text(10_000, { description: 'Anything else about it; empty unless given', examples: ['New cupboards, and a window that opens'] })
}
const project = Type.Object({ id: id(), name: Type.String(), details: Type.String(), version }, {
  description: 'A project',
  examples: [{ id: '019ac1f0-7b1c-7c3d-8e4f-0123456789ab', name: 'Kitchen', details: 'New cupboards, and a window that opens', version: 1 }]
})
const newProject = Type.Object({ ...fields, details: Type.Optional(fields.details) }, {
  additionalProperties: false,
  description: 'A project to be made',
  examples: [{ name: 'Kitchen', details: 'New cupboards, and a window that opens' }]
})
const changes = Type.Partial(Type.Object(fields), {
  additionalProperties: false,
  minProperties: 1,
  description: 'What is to be different',
  examples: [{ name: 'Kitchen and pantry' }]
})

const done = (what: string) => Type.Object({ done: Type.Integer({ examples: [3] }), total: Type.Integer({ examples: [8] }) }, { description: `How many of its ${what} are complete` })
const progress = Type.Object({ tasks: done('tasks'), subtasks: done('subtasks') }, {
  description: 'How far a project has come',
  examples: [{ tasks: { done: 3, total: 8 }, subtasks: { done: 12, total: 40 } }]
})

export const projectApi: FastifyPluginAsyncTypebox = async app => {
  const tags = ['projects']

  app.get('/projects', {
    schema: {
      summary: 'List projects',
      description: 'A page of the account\'s projects, by name unless another order is asked for.',
      tags,
      querystring: listQuery({}),
      response: { 200: pageOf('projects', project), ...problems }
    }
  }, async ({ tenant, query: { q, sort, cursor, limit = 10 } }) => {
    const { rows, next } = await listProjects(tenant, { limit, from: cursor }, { sort, filter: { q } })
    return { limit, next: next(), projects: rows }
  })

  app.post('/projects', {
    schema: {
      summary: 'Make a project',
      description: 'It is empty at first.',
      tags,
      headers: idempotent,
      body: newProject,
      response: { 201: versioned(project), ...problems }
    }
  }, async (request, reply) => created(request, reply, await createProject(changesOf(request), request.body)))

  app.get('/projects/:id', {
    schema: {
      summary: 'Get a project',
      description: 'Its ETag is that of the project itself, not of what belongs to it.',
      tags,
      params: byId,
      headers: ifNoneMatch,
      response: { 200: versioned(project), 304: unchanged, ...problems }
    }
  }, async (request, reply) => sendVersion(request, reply, await getProject(request.tenant, request.params.id)))

  app.patch('/projects/:id', {
    schema: {
      summary: 'Change a project',
      description: 'What the body does not name stays as it is.',
      tags,
      params: byId,
      headers: ifMatch,
      body: changes,
      response: { 200: versioned(project), ...problems }
    }
  }, async (request, reply) => {
    const { params: { id }, body } = request
    return sendVersion(request, reply, await updateProject(changesOf(request), id, body, seenVersion(request)))
  })

  app.delete('/projects/:id', {
    schema: {
      summary: 'Delete a project',
      description: 'With all of its tasks and their subtasks.',
      tags,
      params: byId,
      headers: ifMatch,
      response: gone
    }
  }, async (request, reply) => {
    await removeProject(changesOf(request), request.params.id, seenVersion(request))
    return reply.code(204).send(null)
  })

  app.get('/projects/:id/progress', {
    schema: {
      summary: 'See how far a project has come',
      description: 'Its tasks and subtasks, counted.',
      tags,
      params: byId,
      response: { 200: progress, ...problems }
    }
  }, async ({ tenant, params: { id } }) => {
    const [counts] = await Promise.all([progressOf(tenant, [id]), getProject(tenant, id)])
    return counts.get(id)!
  })
}
