import type { FastifyInstance } from 'fastify'
import { icon, stylesheet } from '../views/style.ts'

/** Tenant-free and unchanging, so they may be cached by anyone. */
export async function assetRoutes (app: FastifyInstance) {
  app.get(stylesheet.path, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'public, max-age=31536000, immutable').send(stylesheet.css))

  app.get('/assets/icon.svg', async (_request, reply) =>
    reply.type('image/svg+xml').header('cache-control', 'public, max-age=86400').send(icon))
}
