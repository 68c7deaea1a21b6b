import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listLog } from '../people/log.ts'
import { problems } from './problem.ts'
import { pageOf, pageQuery } from './resource.ts'
import { id, moment } from './text.ts'

const row = (description: string) => Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], { description })

const entry = Type.Object({
  id: id(),
  at: moment(),
  userId: Type.Union([id(), Type.Null()], { description: 'Who did it, if it was one of the users' }),
  actor: Type.String({ description: 'Their e-mail address at that time; or what else did it', examples: ['ann@example.com'] }),
  action: Type.String({ examples: ['update'] }),
  entity: Type.String({ description: 'What it was done to: the name of a table', examples: ['tasks'] }),
  entityId: id({ description: 'And which of its rows' }),
  before: row('The row as it was, without anything secret; null if it is new'),
  after: row('The row as it was then; null if it is gone')
}, {
  description: 'One change',
  examples: [{
    id: '019ac1f5-0d4a-7c90-b1e6-0123456789ab',
    at: '2026-01-06T17:05:00.000Z',
    userId: '019ac1ef-5d20-7b44-8a19-0123456789ab',
    actor: 'ann@example.com',
    action: 'update',
    entity: 'tasks',
    entityId: '019ac1f0-8a52-7d10-9b3e-0123456789ab',
    before: { isComplete: false, version: 1 },
    after: { isComplete: true, version: 2 }
  }]
})

export const logApi: FastifyPluginAsyncTypebox = async app => {
  app.get('/audit', {
    config: { may: 'readAudit' },
    schema: {
      summary: 'List changes',
      description: 'A page of all changes that were made in this account, newest first.',
      tags: ['audit'],
      querystring: pageQuery,
      response: { 200: pageOf('entries', entry), ...problems }
    }
  }, async ({ tenant, query: { limit = 10, cursor } }) => {
    const { rows, next } = await listLog(tenant, { limit, from: cursor })
    return { limit, next: next(), entries: rows }
  })
}
