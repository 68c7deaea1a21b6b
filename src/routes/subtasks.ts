import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { changesOf } from '../audit.ts'
import { AppError } from '../errors.ts'
import { createSubtask, getSubtask, listSubtasks, removeSubtask, setSubtaskComplete, updateSubtask } from '../work/subtasks.ts'
import { ifMatch, ifNoneMatch, seenVersion, sendVersion, unchanged, version, versioned } from './etag.ts'
import { numbered } from './numbered.ts'
import { problems } from './problem.ts'
import { byId, complete, created, gone, idempotent, listQuery, next, projectId, taskId, truth } from './resource.ts'
import { id, name, text } from './text.ts'

const fields = {
  taskId: id({ description: 'The task that it belongs to' }),
  name: name({ description: 'What is to be done', examples: ['Buy brushes'] }),
  details: text(10_000, { description: 'Anything else about it; empty unless given', examples: ['Flat ones, 5 cm'] })
}
const example = {
  id: '019ac1f1-0c77-7a21-8f60-0123456789ab', taskId: '019ac1f0-8a52-7d10-9b3e-0123456789ab', name: 'Buy brushes', isComplete: true, details: 'Flat ones, 5 cm', version: 2
}
const isComplete = Type.Boolean()
const subtask = Type.Object({ id: id(), taskId: fields.taskId, name: Type.String(), isComplete, details: Type.String(), version }, {
  description: 'A subtask',
  examples: [example]
})
const newSubtask = Type.Object({ ...fields, details: Type.Optional(fields.details) }, {
  additionalProperties: false,
  description: 'A subtask to be made',
  examples: [{ taskId: example.taskId, name: 'Buy brushes', details: 'Flat ones, 5 cm' }]
})
const changes = Type.Partial(Type.Object(fields), {
  additionalProperties: false,
  minProperties: 1,
  description: 'What is to be different',
  examples: [{ name: 'Buy brushes and tape' }]
})

const listed = Type.Object({
  id: id(),
  account: Type.String({ description: 'The account\'s name' }),
  projectId: id(),
  project: Type.String({ description: 'The project\'s name' }),
  taskId: id(),
  task: Type.String({ description: 'The task\'s name' }),
  name: Type.String(),
  isComplete,
  details: Type.String()
})

export const listingSchema = Type.Object({
  page: Type.Optional(Type.Integer({ description: 'Not with a cursor' })),
  pages: Type.Optional(Type.Integer({ description: 'How many pages there are, at least 1; not with a cursor' })),
  limit: Type.Integer(),
  total: Type.Optional(Type.Integer({ description: 'Subtasks on all pages, counted no further than 1,000 from this one on; not with a cursor' })),
  more: Type.Optional(Type.Boolean({ description: 'Whether there are more pages and subtasks than were counted; not with a cursor' })),
  next,
  subtasks: Type.Array(listed)
}, {
  description: 'A page',
  examples: [{
    page: 1,
    pages: 1,
    limit: 10,
    total: 1,
    more: false,
    next: null,
    subtasks: [{
      id: example.id,
      account: 'Archer & Daughters',
      projectId: '019ac1f0-7b1c-7c3d-8e4f-0123456789ab',
      project: 'Kitchen',
      taskId: example.taskId,
      task: 'Paint the walls',
      name: example.name,
      isComplete: example.isComplete,
      details: example.details
    }]
  }]
})

const page = Type.Optional(Type.Integer({ minimum: 1, maximum: 999_999_999, description: 'Counted from 1; the first unless given' }))

/** For programs. */
export const subtaskApi: FastifyPluginAsyncTypebox = async app => {
  const tags = ['subtasks']

  app.get('/subtasks', {
    schema: {
      summary: 'List subtasks',
      description: 'A page of the account\'s subtasks, by name unless another order is asked for. Pages go by cursors, or by their numbers.',
      tags,
      querystring: listQuery({ projectId, taskId, complete, page }),
      response: { 200: listingSchema, ...problems }
    }
  }, async ({ tenant, query: { projectId, taskId, complete, q, sort, page, cursor, limit = 10 } }) => {
    const which = { sort, filter: { projectId, taskId, complete: truth(complete), q } }
    if (cursor === undefined) {
      const { pages, total, more, rows, next } = await numbered(page ?? 1, limit, page => listSubtasks(tenant, page, which))
      return { page: page ?? 1, pages, total, more, limit, next: next(), subtasks: rows }
    }
    if (page !== undefined) throw new AppError('bad_request', { message: 'A page goes by its number or by a cursor, not by both.' })
    const { rows, next } = await listSubtasks(tenant, { limit, from: cursor }, which)
    return { limit, next: next(), subtasks: rows }
  })

  app.post('/subtasks', {
    schema: {
      summary: 'Make a subtask',
      description: 'Of a task of the account\'s; it is not complete.',
      tags,
      headers: idempotent,
      body: newSubtask,
      response: { 201: versioned(subtask), ...problems }
    }
  }, async (request, reply) => created(request, reply, await createSubtask(changesOf(request), request.body)))

  app.get('/subtasks/:id', {
    schema: {
      summary: 'Get a subtask',
      description: 'With its version, which is its ETag.',
      tags,
      params: byId,
      headers: ifNoneMatch,
      response: { 200: versioned(subtask), 304: unchanged, ...problems }
    }
  }, async (request, reply) => sendVersion(request, reply, await getSubtask(request.tenant, request.params.id)))

  app.patch('/subtasks/:id', {
    schema: {
      summary: 'Change a subtask',
      description: 'What the body does not name stays as it is. Another `taskId` moves it there.',
      tags,
      params: byId,
      headers: ifMatch,
      body: changes,
      response: { 200: versioned(subtask), ...problems }
    }
  }, async (request, reply) => {
    const { params: { id }, body } = request
    return sendVersion(request, reply, await updateSubtask(changesOf(request), id, body, seenVersion(request)))
  })

  app.delete('/subtasks/:id', {
    schema: {
      summary: 'Delete a subtask',
      description: 'To reopen it instead, delete its completion.',
      tags,
      params: byId,
      headers: ifMatch,
      response: gone
    }
  }, async (request, reply) => {
    await removeSubtask(changesOf(request), request.params.id, seenVersion(request))
    return reply.code(204).send(null)
  })

  for (const [method, isComplete, summary] of [['PUT', true, 'Complete a subtask'], ['DELETE', false, 'Reopen a subtask']] as const) {
    app.route({
      method,
      url: '/subtasks/:id/completion',
      schema: {
        summary,
        description: 'To ask for it again changes nothing. It takes no body: what is in one counts for nothing.',
        tags,
        params: byId,
        headers: ifMatch,
        response: { 200: versioned(subtask), ...problems }
      },
      handler: async (request, reply) =>
        sendVersion(request, reply, await setSubtaskComplete(changesOf(request), request.params.id, isComplete, seenVersion(request)))
    })
  }
}
