import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { eq, placeholder } from 'drizzle-orm'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { accounts, projects, subtasks, tasks } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { innerJoin, query } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'
import { problem } from './problem.ts'
import { type Listing, subtasksPage } from '../views/subtasks.ts'

const pageOfSubtasks = query({
  from: subtasks,
  joins: [
    innerJoin(tasks, eq(tasks.id, subtasks.taskId)),
    innerJoin(projects, eq(projects.id, tasks.projectId)),
    innerJoin(accounts, eq(accounts.accountId, projects.accountId))
  ],
  columns: {
    id: subtasks.id,
    account: accounts.name,
    project: projects.name,
    task: tasks.name,
    name: subtasks.name,
    isComplete: subtasks.isComplete,
    details: subtasks.details
  },
  orderBy: [subtasks.name, subtasks.id],
  limit: placeholder('limit'),
  offset: placeholder('offset')
})

/** @throws {AppError} page_not_found past the last page; the first page is always there */
async function list (tenant: Tenant, page: number, limit: number): Promise<Listing> {
  const [rows, total] = await Promise.all([
    tenant.select(pageOfSubtasks, { limit, offset: (page - 1) * limit }),
    tenant.count(subtasks)
  ])
  const pages = Math.max(1, Math.ceil(total / limit))
  if (page > pages) throw new AppError('page_not_found')
  return { page, pages, total, subtasks: rows }
}

/** The pages for people. */
export async function subtaskPages (app: FastifyInstance) {
  const show = async (request: FastifyRequest<{ Params: { page?: string } }>, reply: FastifyReply) => {
    const listing = await list(request.tenant, Number(request.params.page ?? 1), 10)
    return reply.type('text/html; charset=utf-8').send(subtasksPage(request.account, listing))
  }
  app.get('/subtasks', show)
  app.get('/subtasks/:page(^[1-9]\\d{0,8}$)', show)
}

const subtaskSchema = Type.Object({
  id: Type.String({ format: 'uuid' }),
  account: Type.String({ description: 'The account\'s name' }),
  project: Type.String({ description: 'The project\'s name' }),
  task: Type.String({ description: 'The task\'s name' }),
  name: Type.String(),
  isComplete: Type.Boolean(),
  details: Type.String()
})

/** The same for programs. */
export const subtaskApi: FastifyPluginAsyncTypebox = async app => {
  app.get('/subtasks', {
    schema: {
      summary: 'List subtasks',
      description: 'A page of the account\'s subtasks, ordered by name, then id. The account is that of the host.',
      tags: ['subtasks'],
      querystring: Type.Object({
        page: Type.Optional(Type.Integer({ minimum: 1, maximum: 999_999_999, default: 1, description: 'Counted from 1' })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'Subtasks on a page' }))
      }, { additionalProperties: false }),
      response: {
        200: Type.Object({
          page: Type.Integer(),
          pages: Type.Integer({ description: 'How many pages there are; at least 1' }),
          limit: Type.Integer(),
          total: Type.Integer({ description: 'Subtasks on all pages' }),
          subtasks: Type.Array(subtaskSchema)
        }, { description: 'A page' }),
        '4xx': problem,
        '5xx': problem
      }
    }
  }, async ({ tenant, query: { page = 1, limit = 10 } }) => ({ ...await list(tenant, page, limit), limit }))
}
