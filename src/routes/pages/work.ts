// How a project, a task and a subtask are renamed, and deleted after a question: the same for each.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Changes, changesOf } from '../../audit.ts'
import type { Tenant } from '../../tenancy/scope.ts'
import { type Change, type Kind, deletePage, editPage, pathOf } from '../../views/work.ts'
import { byId } from '../resource.ts'
import { details, named, sentences } from './fields.ts'
import { changedMeanwhile, expected, form, frameOf, mistakes, seen, seeOther, sendPage } from './page.ts'

interface Row { readonly id: string, readonly name: string, readonly details: string, readonly version: number }

export interface Changeable<R extends Row> {
  readonly kind: Kind
  /** @throws {AppError} not_found */
  readonly read: (tenant: Tenant, id: string) => Promise<R>
  /** @throws {AppError} not_found; precondition_failed if it has another version than expected */
  readonly update: (changes: Changes, id: string, fields: { name: string, details: string }, expected: number) => Promise<R>
  readonly remove: (changes: Changes, id: string, expected: number) => Promise<void>
  /** Where to go once it is deleted. */
  readonly afterwards: (row: R) => string
}

export const changePages: FastifyPluginAsyncTypebox<Changeable<any>> = async (app, { kind, read, update, remove, afterwards }) => {
  const path = `/${kind}s/:id`

  async function show (request: FastifyRequest, reply: FastifyReply, view: typeof editPage, id: string, filled: Omit<Change, 'thing'> = {}) {
    const [row, frame] = await Promise.all([read(request.tenant, id), frameOf(request)])
    return sendPage(reply, view(frame, { ...filled, thing: { ...row, kind } }))
  }

  app.get(`${path}/edit`, { schema: { params: byId }, config: { may: 'write' } }, (request, reply) => show(request, reply, editPage, request.params.id))

  app.post(`${path}/edit`, { schema: { params: byId, ...form({ version: seen, name: named, details }) }, config: { fields: sentences } }, async (request, reply) => {
    const { params: { id }, body: { version, ...fields } } = request
    const filled = mistakes(request)
    if (filled) return show(request, reply.code(422), editPage, id, filled)
    try {
      await update(changesOf(request), id, fields, Number(version))
    } catch (error) {
      const { statusCode } = expected(error, 'precondition_failed')
      return show(request, reply.code(statusCode), editPage, id, { values: fields, refused: changedMeanwhile })
    }
    return seeOther(reply, pathOf({ kind, id }), 'saved')
  })

  app.get(`${path}/delete`, { schema: { params: byId }, config: { may: 'write' } }, (request, reply) => show(request, reply, deletePage, request.params.id))

  app.post(`${path}/delete`, { schema: { params: byId, ...form({ version: seen }) } }, async (request, reply) => {
    const { params: { id }, body: { version } } = request
    try {
      const row = await read(request.tenant, id)
      await remove(changesOf(request), id, Number(version))
      return seeOther(reply, afterwards(row), 'deleted')
    } catch (error) {
      const { statusCode } = expected(error, 'precondition_failed')
      return show(request, reply.code(statusCode), deletePage, id, { refused: 'This was changed in the meantime. Is it still to be deleted?' })
    }
  })
}
