import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { changesOf } from '../../audit.ts'
import type { Filled } from '../../views/forms.ts'
import { projectPage, projectsPage } from '../../views/projects.ts'
import { overviewOf, progressOf } from '../../work/progress.ts'
import { createProject, getProject, listProjects, removeProject, updateProject } from '../../work/projects.ts'
import { createTask, listTasks } from '../../work/tasks.ts'
import type { PageNumber } from '../../views/pager.ts'
import { numbered } from '../numbered.ts'
import { byId } from '../resource.ts'
import { named, sentences } from './fields.ts'
import { asked, form, frameOf, mistakes, seeOther, sendPage } from './page.ts'
import { changePages } from './work.ts'

const perPage = 20
const question = Type.Object(asked, { additionalProperties: false })

export const projectPages: FastifyPluginAsyncTypebox = async app => {
  app.get('/projects', { schema: { querystring: question } }, (request, reply) => showAll(request, reply, request.query.page))

  app.post('/projects', { schema: form({ name: named }), config: { fields: sentences } }, async (request, reply) => {
    const filled = mistakes(request)
    if (filled) return showAll(request, reply.code(422), 1, filled)
    await createProject(changesOf(request), request.body)
    return seeOther(reply, '/projects/', 'added')
  })

  app.get('/projects/:id', { schema: { params: byId, querystring: question } }, (request, reply) => show(request, reply, request.params.id, request.query.page))

  app.post('/projects/:id/tasks', { schema: { params: byId, ...form({ name: named }) }, config: { fields: sentences } }, async (request, reply) => {
    const { id } = request.params
    const filled = mistakes(request)
    if (filled) return show(request, reply.code(422), id, 1, filled)
    const project = await getProject(request.tenant, id)
    await createTask(changesOf(request), { ...request.body, projectId: project.id })
    return seeOther(reply, `/projects/${id}/`, 'added')
  })

  await app.register(changePages, {
    kind: 'project', read: getProject, update: updateProject, remove: removeProject, afterwards: () => '/projects/'
  })
}

async function showAll (request: FastifyRequest, reply: FastifyReply, page: PageNumber = 1, filled?: Filled): Promise<FastifyReply> {
  const { tenant } = request
  const [listing, overview, frame] = await Promise.all([
    numbered(page, perPage, page => listProjects(tenant, page)), page === 1 ? overviewOf(tenant) : undefined, frameOf(request)
  ])
  const progress = await progressOf(tenant, listing.rows.map(({ id }) => id))
  const rows = listing.rows.map(({ id, name }) => ({ id, name, ...progress.get(id)!.subtasks }))
  return sendPage(reply, projectsPage(frame, { ...listing, rows, overview }, filled))
}

async function show (request: FastifyRequest, reply: FastifyReply, id: string, page: PageNumber = 1, filled?: Filled): Promise<FastifyReply> {
  const { tenant } = request
  const [project, progress, tasks, frame] = await Promise.all([
    getProject(tenant, id),
    progressOf(tenant, [id]),
    numbered(page, perPage, page => listTasks(tenant, page, { filter: { projectId: id } })),
    frameOf(request)
  ])
  return sendPage(reply, projectPage(frame, { project, progress: progress.get(id)!, tasks }, filled))
}
