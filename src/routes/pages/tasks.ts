import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { changesOf } from '../../audit.ts'
import type { Filled } from '../../views/forms.ts'
import { taskPage } from '../../views/tasks.ts'
import { createSubtask, listSubtasks } from '../../work/subtasks.ts'
import { getProject } from '../../work/projects.ts'
import { type Task, getTask, removeTask, setTaskComplete, updateTask } from '../../work/tasks.ts'
import type { PageNumber } from '../../views/pager.ts'
import { numbered } from '../numbered.ts'
import { byId } from '../resource.ts'
import { completion, named, sentences } from './fields.ts'
import { asked, form, frameOf, mistakes, seeOther, sendPage } from './page.ts'
import { changePages } from './work.ts'

const perPage = 50
const question = Type.Object(asked, { additionalProperties: false })

export const taskPages: FastifyPluginAsyncTypebox = async app => {
  app.get('/tasks/:id', { schema: { params: byId, querystring: question } }, (request, reply) => show(request, reply, request.params.id, request.query.page))

  app.post('/tasks/:id/subtasks', { schema: { params: byId, ...form({ name: named }) }, config: { fields: sentences } }, async (request, reply) => {
    const { id } = request.params
    const filled = mistakes(request)
    if (filled) return show(request, reply.code(422), id, 1, filled)
    const task = await getTask(request.tenant, id)
    await createSubtask(changesOf(request), { ...request.body, taskId: task.id })
    return seeOther(reply, `/tasks/${id}/`, 'added')
  })

  app.post('/tasks/:id/completion', { schema: { params: byId, ...form(completion) } }, async (request, reply) => {
    const { params: { id }, body: { complete, back } } = request
    await setTaskComplete(changesOf(request), id, complete === 'yes')
    return seeOther(reply, back)
  })

  await app.register(changePages, {
    kind: 'task', read: getTask, update: updateTask, remove: removeTask, afterwards: ({ projectId }: Task) => `/projects/${projectId}/`
  })
}

async function show (request: FastifyRequest, reply: FastifyReply, id: string, page: PageNumber = 1, filled?: Filled): Promise<FastifyReply> {
  const { tenant } = request
  const [task, subtasks, frame] = await Promise.all([
    getTask(tenant, id), numbered(page, perPage, page => listSubtasks(tenant, page, { filter: { taskId: id } })), frameOf(request)
  ])
  const project = await getProject(tenant, task.projectId)
  return sendPage(reply, taskPage(frame, { project, task, subtasks }, filled))
}
