import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { listLog } from '../../people/log.ts'
import { auditPage } from '../../views/audit.ts'
import { numbered } from '../numbered.ts'
import { asked, frameOf, sendPage } from './page.ts'

const perPage = 50
const question = Type.Object({ page: asked.page }, { additionalProperties: false })

export const auditPages: FastifyPluginAsyncTypebox = async app => {
  app.get('/audit', { schema: { querystring: question }, config: { may: 'readAudit' } }, async (request, reply) => {
    const { tenant, query: { page = 1 } } = request
    const [entries, frame] = await Promise.all([numbered(page, perPage, page => listLog(tenant, page)), frameOf(request)])
    return sendPage(reply, auditPage(frame, entries))
  })
}
