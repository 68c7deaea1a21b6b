import type { FastifyInstance } from 'fastify'
import { welcomePage } from '../views/plain.ts'

/** `/`: on the bare domain, what this is; on an account's host, the way to its subtasks. */
export async function homeRoute (app: FastifyInstance, { baseDomain }: { baseDomain: string }) {
  app.get('/', { config: { tenanted: 'or bare' } }, async (request, reply) => {
    if (request.site.kind === 'bare') return reply.type('text/html; charset=utf-8').send(welcomePage(baseDomain))
    await request.resolveAccount()
    return reply.redirect('/subtasks/', 302)
  })
}
