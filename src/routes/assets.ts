import type { FastifyInstance } from 'fastify'
import { icon, script, stylesheet } from '../views/assets.ts'

/** Tenant-free and unchanging, so they may be cached by anyone. */
export async function assetRoutes (app: FastifyInstance) {
  for (const { path, type, text } of [stylesheet, script]) {
    app.get(path, async (_request, reply) => reply.type(type).header('cache-control', 'public, max-age=31536000, immutable').send(text))
  }

  app.get('/assets/icon.svg', async (_request, reply) =>
    reply.type('image/svg+xml').header('cache-control', 'public, max-age=86400').send(icon))
}
