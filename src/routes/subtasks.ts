import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { AppError } from '../errors.ts'
import type { Tenant } from '../tenancy/scope.ts'
import { type Listing, subtasksPage } from '../views/subtasks.ts'
import { listSubtasks } from '../work/subtasks.ts'
import { problem } from './problem.ts'

/** How far to count, from a page on: a thousand rows cost less than the page, and a hundred thousand ten times as much. */
const counted = 1_000

/** @throws {AppError} page_not_found past the last page; the first page is always there */
async function list (tenant: Tenant, page: number, limit: number): Promise<Listing & { next: string | null }> {
  const from = (page - 1) * limit
  const { rows, ahead, next } = await listSubtasks(tenant, { limit, from, ahead: counted + 1 })
  if (rows.length === 0 && page > 1) throw new AppError('page_not_found')
  const total = from + Math.min(ahead, counted)
  return { page, pages: Math.max(1, Math.ceil(total / limit)), total, more: ahead > counted, next: next ?? null, subtasks: rows }
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

export const pageQuery = Type.Object({
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 999_999_999, description: 'Counted from 1; the first unless given' })),
  cursor: Type.Optional(Type.String({ format: 'cursor', description: 'What `next` of the page before said, in place of a page\'s number' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'Subtasks on a page' }))
}, { additionalProperties: false })

export const listingSchema = Type.Object({
  page: Type.Optional(Type.Integer({ description: 'Not with a cursor' })),
  pages: Type.Optional(Type.Integer({ description: 'How many pages there are, at least 1; not with a cursor' })),
  limit: Type.Integer(),
  total: Type.Optional(Type.Integer({ description: 'Subtasks on all pages, counted no further than 1,000 from this one on; not with a cursor' })),
  more: Type.Optional(Type.Boolean({ description: 'Whether there are more pages and subtasks than were counted; not with a cursor' })),
  next: Type.Union([Type.String({ description: 'A cursor: where the next page begins' }), Type.Null()], { description: 'Null on the last page' }),
  subtasks: Type.Array(subtaskSchema)
}, { description: 'A page' })

/** The same for programs. */
export const subtaskApi: FastifyPluginAsyncTypebox = async app => {
  app.get('/subtasks', {
    schema: {
      summary: 'List subtasks',
      description: 'A page of the account\'s subtasks, ordered by name, then id. The account is that of the host.',
      tags: ['subtasks'],
      querystring: pageQuery,
      response: { 200: listingSchema, '4xx': problem, '5xx': problem }
    }
  }, async ({ tenant, query: { page, cursor, limit = 10 } }) => {
    if (cursor === undefined) return { ...await list(tenant, page ?? 1, limit), limit }
    if (page !== undefined) throw new AppError('bad_request', { message: 'A page goes by its number or by a cursor, not by both.' })
    const { rows, next } = await listSubtasks(tenant, { limit, from: cursor })
    return { limit, next: next ?? null, subtasks: rows }
  })
}
