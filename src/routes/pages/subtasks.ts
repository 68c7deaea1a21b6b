import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { changesOf } from '../../audit.ts'
import { subtasksPage } from '../../views/subtasks.ts'
import { subtaskPage } from '../../views/tasks.ts'
import { sorts } from '../../work/list.ts'
import { getProject, projectChoices } from '../../work/projects.ts'
import { type Subtask, getSubtask, listSubtasks, removeSubtask, setSubtaskComplete, updateSubtask } from '../../work/subtasks.ts'
import { getTask } from '../../work/tasks.ts'
import { numbered } from '../numbered.ts'
import { byId } from '../resource.ts'
import { id } from '../text.ts'
import { completion } from './fields.ts'
import { asked, form, frameOf, noticed, seeOther, sendPage } from './page.ts'
import { changePages } from './work.ts'

const perPage = 10
/** How many projects one can choose from in its form. */
const choices = 1_000

const empty = Type.Literal('') // what a form's field says that is left as it is
const filters = Type.Object({
  notice: asked.notice,
  q: Type.Optional(Type.String({ maxLength: 500, format: 'text', description: 'Part of a name' })),
  projectId: Type.Optional(Type.Union([id(), empty])),
  taskId: Type.Optional(Type.Union([id(), empty])),
  complete: Type.Optional(Type.Enum(['yes', 'no', ''])),
  sort: Type.Optional(Type.Enum([...sorts])),
  choose: Type.Optional(Type.Literal('project', { description: 'Shows the projects to choose from' }))
}, { additionalProperties: false })

export const subtaskPages: FastifyPluginAsyncTypebox = async app => {
  for (const path of ['/subtasks', '/subtasks/:page(^([1-9]\\d{0,8}|last)$)']) {
    app.get(path, { schema: { querystring: filters } }, async (request, reply) => {
      const { tenant, query: { notice: _, choose, ...query } } = request
      const { page = 1 } = request.params as { page?: string }
      const filter = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''))
      const { sort, complete, ...where } = filter as typeof query
      const wanted = { ...where, ...complete && { complete: complete === 'yes' } }
      const [frame, listing, projects] = await Promise.all([
        frameOf(request),
        numbered(page === 'last' ? page : Number(page), perPage, page => listSubtasks(tenant, page, { filter: wanted, sort })),
        choose || where.projectId ? projectChoices(tenant, choices) : undefined
      ])
      return sendPage(reply, subtasksPage(frame, listing, { projects, filter }))
    })
  }

  app.get('/subtasks/:id', { schema: { params: byId, querystring: noticed } }, async (request, reply) => {
    const { tenant } = request
    const [subtask, frame] = await Promise.all([getSubtask(tenant, request.params.id), frameOf(request)])
    const task = await getTask(tenant, subtask.taskId)
    const project = await getProject(tenant, task.projectId)
    return sendPage(reply, subtaskPage(frame, { project, task, subtask }))
  })

  app.post('/subtasks/:id/completion', { schema: { params: byId, ...form(completion) } }, async (request, reply) => {
    const { params: { id }, body: { complete, back } } = request
    await setSubtaskComplete(changesOf(request), id, complete === 'yes')
    return seeOther(reply, back)
  })

  await app.register(changePages, {
    kind: 'subtask', read: getSubtask, update: updateSubtask, remove: removeSubtask, afterwards: ({ taskId }: Subtask) => `/tasks/${taskId}/`
  })
}
