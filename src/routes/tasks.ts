import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { changesOf } from '../audit.ts'
import { createTask, getTask, listTasks, removeTask, setTaskComplete, updateTask } from '../work/tasks.ts'
import { ifMatch, ifNoneMatch, seenVersion, sendVersion, unchanged, version, versioned } from './etag.ts'
import { problems } from './problem.ts'
import { byId, complete, created, gone, idempotent, listQuery, pageOf, projectId, truth } from './resource.ts'
import { id, name, text } from './text.ts'

const fields = {
  projectId: id({ description: 'The project that it belongs to' }),
  name: name({ description: 'What is to be done', examples: ['Paint the walls'] }),
  details: text(10_000, { description: 'Anything else about it; empty unless given', examples: ['Two coats'] })
}
const shown = {
  id: id(),
  projectId: fields.projectId,
  name: Type.String(),
  isComplete: Type.Boolean({ description: 'Of the task itself; its subtasks have their own' }),
  details: Type.String(),
  version
}
const example = {
  id: '019ac1f0-8a52-7d10-9b3e-0123456789ab', projectId: '019ac1f0-7b1c-7c3d-8e4f-0123456789ab', name: 'Paint the walls', isComplete: false, details: 'Two coats', version: 1
}
const task = Type.Object(shown, { description: 'A task', examples: [example] })
const project = Type.String({ description: 'The project\'s name' })
const listed = Type.Object({ ...shown, project }, { description: 'A task', examples: [{ ...example, project: 'Kitchen' }] })
const newTask = Type.Object({ ...fields, details: Type.Optional(fields.details) }, {
  additionalProperties: false,
  description: 'A task to be made',
  examples: [{ projectId: example.projectId, name: 'Paint the walls', details: 'Two coats' }]
})
const changes = Type.Partial(Type.Object(fields), {
  additionalProperties: false,
  minProperties: 1,
  description: 'What is to be different',
  examples: [{ details: 'Three coats' }]
})

export const taskApi: FastifyPluginAsyncTypebox = async app => {
  const tags = ['tasks']

  app.get('/tasks', {
    schema: {
      summary: 'List tasks',
      description: 'A page of the account\'s tasks, by name unless another order is asked for.',
      tags,
      querystring: listQuery({ projectId, complete }),
      response: { 200: pageOf('tasks', listed), ...problems }
    }
  }, async ({ tenant, query: { projectId, complete, q, sort, cursor, limit = 10 } }) => {
    const { rows, next } = await listTasks(tenant, { limit, from: cursor }, { sort, filter: { projectId, complete: truth(complete), q } })
    return { limit, next: next(), tasks: rows }
  })

  app.post('/tasks', {
    schema: {
      summary: 'Make a task',
      description: 'In a project of the account\'s; it is not complete.',
      tags,
      headers: idempotent,
      body: newTask,
      response: { 201: versioned(task), ...problems }
    }
  }, async (request, reply) => created(request, reply, await createTask(changesOf(request), request.body)))

  app.get('/tasks/:id', {
    schema: {
      summary: 'Get a task',
      description: 'Its ETag is that of the task itself, not of its subtasks.',
      tags,
      params: byId,
      headers: ifNoneMatch,
      response: { 200: versioned(task), 304: unchanged, ...problems }
    }
  }, async (request, reply) => sendVersion(request, reply, await getTask(request.tenant, request.params.id)))

  app.patch('/tasks/:id', {
    schema: {
      summary: 'Change a task',
      description: 'What the body does not name stays as it is. Another `projectId` moves it there, with its subtasks.',
      tags,
      params: byId,
      headers: ifMatch,
      body: changes,
      response: { 200: versioned(task), ...problems }
    }
  }, async (request, reply) => {
    const { params: { id }, body } = request
    return sendVersion(request, reply, await updateTask(changesOf(request), id, body, seenVersion(request)))
  })

  app.delete('/tasks/:id', {
    schema: {
      summary: 'Delete a task',
      description: 'With all of its subtasks.',
      tags,
      params: byId,
      headers: ifMatch,
      response: gone
    }
  }, async (request, reply) => {
    await removeTask(changesOf(request), request.params.id, seenVersion(request))
    return reply.code(204).send(null)
  })

  for (const [method, isComplete, summary] of [['PUT', true, 'Complete a task'], ['DELETE', false, 'Reopen a task']] as const) {
    app.route({
      method,
      url: '/tasks/:id/completion',
      schema: {
        summary,
        description: 'Its subtasks stay as they are. To ask for it again changes nothing. It takes no body: what is in one counts for nothing.',
        tags,
        params: byId,
        headers: ifMatch,
        response: { 200: versioned(task), ...problems }
      },
      handler: async (request, reply) =>
        sendVersion(request, reply, await setTaskComplete(changesOf(request), request.params.id, isComplete, seenVersion(request)))
    })
  }
}
