import type { FastifyInstance } from 'fastify'

/** Resolves if requests can be served; throws what stands in the way. */
export type Readiness = () => Promise<void>

/** `/healthz`: the process lives. `/readyz`: its database answers and is up to date. For probes, so on any host. */
export async function healthRoutes (app: FastifyInstance, { ready }: { ready: Readiness }) {
  const probe = {
    ...(app.log.level === 'info' && { logLevel: 'warn' as const }), // they come every few seconds
    config: { pressureHandler: () => {} } // also of a server that refuses others, since it is overloaded
  }
  app.get('/healthz', probe, async () => ({ status: 'ok' }))

  app.get('/readyz', probe, async () => {
    await ready()
    return { status: 'ready' }
  })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What @fastify/under-pressure does with a route's requests instead of refusing them. */
    pressureHandler?: () => void
  }
}
