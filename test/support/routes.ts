// The routes of an application that is about to be built, as Fastify registers them; and a way to plant one among them.
import diagnostics from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Permission } from '../../src/auth/roles.ts'
import type { Owner } from './database.ts'

export interface Route {
  readonly method: string
  readonly url: string
  readonly schema: { readonly params?: unknown, readonly querystring?: unknown, readonly body?: unknown, readonly consumes?: readonly string[] }
  /** Inside a scope that was made tenanted. */
  readonly tenanted: boolean
  /** Of that scope, but open to whoever knows the address. */
  readonly open: boolean
  /** Its transaction begins when whoever asks has been let in. */
  readonly admitFirst: boolean
  /** What it takes. */
  readonly may: Permission
}

/**
 * Call it before the application is built.
 * @param plant adds routes to a tenanted scope of the test's own
 * @returns every route, once the application is ready
 */
export function collectRoutes (owner: Owner, plant?: (scope: FastifyInstance) => void): () => Route[] {
  const found: { options: RouteOptions, instance: object }[] = []
  const scopes: object[] = []

  const onApp = (message: unknown) => {
    const { fastify: app } = message as { fastify: FastifyInstance }
    app.addHook('onRoute', function (options) { found.push({ options, instance: this }) })
    // What tenanted() is called with is tenanted, and whatever is registered inside inherits from it.
    const decorate = app.decorate as (this: FastifyInstance, name: string, value: unknown) => FastifyInstance
    app.decorate = function (this: FastifyInstance, name: string, value: unknown) {
      if (name !== 'tenanted') return decorate.call(this, name, value)
      const makeTenanted = value as FastifyInstance['tenanted']
      decorate.call(this, name, (scope: FastifyInstance) => {
        scopes.push(scope)
        makeTenanted(scope)
      })
      if (plant) {
        app.register(async scope => {
          app.tenanted(scope)
          plant(scope)
        })
      }
      return app
    } as never
  }
  diagnostics.subscribe('fastify.initialization', onApp)
  owner.teardown(() => diagnostics.unsubscribe('fastify.initialization', onApp))

  return () => found.flatMap(({ options, instance }) => [options.method].flat().map(method => ({
    method,
    url: options.url,
    schema: options.schema ?? {},
    tenanted: scopes.some(scope => scope === instance || Object.prototype.isPrototypeOf.call(scope, instance)),
    open: options.config?.open === true,
    admitFirst: options.config?.admitFirst === true,
    may: options.config?.may ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'write')
  })))
}
