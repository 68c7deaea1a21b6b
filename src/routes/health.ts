import type { FastifyInstance } from 'fastify'

/** Resolves if requests can be served; throws what stands in the way. */
export type Readiness = () => Promise<void>

/** `/healthz`: the process lives. `/readyz`: its database answers and is up to date. For probes, so on any host. */
export async function healthRoutes (app: FastifyInstance, { ready }: { ready: Readiness }) {
  const quietly = app.log.level === 'info' ? { logLevel: 'warn' as const } : {} // probes come every few seconds
  app.get('/healthz', quietly, async () => ({ status: 'ok' }))

  app.get('/readyz', quietly, async () => {
    await ready()
    return { status: 'ready' }
  })
}
