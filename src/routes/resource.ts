// What the schemas and replies of all resources have in common: one row by its id, lists in pages, and rows that are made.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type TArray, type TProperties, type TSchema, Type } from 'typebox'
import { sorts } from '../work/list.ts'
import { sendVersion } from './etag.ts'
import { problems } from './problem.ts'
import { id, text } from './text.ts'

export const byId = Type.Object({ id: id() }, { additionalProperties: false })

export const gone = { 204: Type.Null({ description: 'It is gone' }), ...problems }

export const idempotent = Type.Object({
  'idempotency-key': Type.Optional(Type.String({
    description: 'A word of your choice, such as a UUID. Sent again with the same key within a day, the request is answered as before and takes effect once.'
  }))
})

export const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'How many at the most' }))
export const cursor = Type.Optional(Type.String({ format: 'cursor', description: 'What `next` of the page before said. Good for the same filters and order only' }))
export const next = Type.Union([Type.String({ description: 'A cursor: where the next page begins' }), Type.Null()], { description: 'Null on the last page' })

const q = Type.Optional(text(500, { description: 'A part of the name, in capitals or not', examples: ['paint'] }))
const sort = Type.Optional(Type.Enum([...sorts], { description: 'The order: by name, or by when it was made; with a minus, backwards. By name unless given' }))
export const complete = Type.Optional(Type.Enum(['true', 'false'], { description: 'Only what is complete, or only what is not' }))
export const truth = (word: 'true' | 'false' | undefined): boolean | undefined => word && word === 'true'

export const projectId = Type.Optional(id({ description: 'Only what belongs to this project' }))
export const taskId = Type.Optional(id({ description: 'Only what belongs to this task' }))

/** The query of a list that has one order. */
export const pageQuery = Type.Object({ cursor, limit }, { additionalProperties: false })

/** The query of a list of work: its own parameters, and those that every such list has. */
export const listQuery = <P extends TProperties>(own: P) => Type.Object({ ...own, q, sort, cursor, limit }, { additionalProperties: false })

/** A page of a list, whose rows have an example. */
export const pageOf = <N extends string, R extends TSchema>(name: N, row: R) => {
  const { examples } = row as { examples?: unknown[] }
  const rows = { [name]: Type.Array(row) } as Record<N, TArray<R>>
  return Type.Object({ limit: Type.Integer(), next, ...rows }, { description: 'A page', examples: [{ limit: 10, next: null, [name]: examples }] })
}

/** Answers with a row that was made, and where it is from now on. */
export function created (request: FastifyRequest, reply: FastifyReply, row: { id: string, version: number }): FastifyReply {
  reply.code(201).header('location', `${request.routeOptions.url}/${row.id}`)
  return sendVersion(request, reply, row)
}
