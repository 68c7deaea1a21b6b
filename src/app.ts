// The table of contents, in the order in which a request meets it. Builds and does not listen; server.ts does.
import { randomUUID } from 'node:crypto'
import underPressure from '@fastify/under-pressure'
import fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyServerOptions } from 'fastify'
import { admission } from './auth/admission.ts'
import { shareCores } from './auth/passwords.ts'
import { type RateLimits, createRates } from './auth/rates.ts'
import { marksUse } from './auth/seen.ts'
import { orderlyClose } from './closing.ts'
import { damper } from './damper.ts'
import { AppError } from './errors.ts'
import { discreet } from './log.ts'
import { answerError, answerErrors, answerUnreadable, asPage, asProblem } from './routes/errors.ts'
import { assetRoutes } from './routes/assets.ts'
import { compilersFactory } from './routes/compilers.ts'
import { forms } from './routes/forms.ts'
import { securityHeaders } from './routes/headers.ts'
import { type Readiness, healthRoutes } from './routes/health.ts'
import { homeRoute } from './routes/home.ts'
import { knownFormats, strictInput, strictSchemas } from './routes/input.ts'
import { invitationApi, invitationPages } from './routes/invitations.ts'
import { logApi } from './routes/log.ts'
import { myApi } from './routes/me.ts'
import { methodsOfRoutes } from './routes/methods.ts'
import { openApi } from './routes/openapi.ts'
import { auditPages } from './routes/pages/audit.ts'
import { myPages } from './routes/pages/me.ts'
import { memberPages } from './routes/pages/members.ts'
import { pageInput } from './routes/pages/page.ts'
import { projectPages } from './routes/pages/projects.ts'
import { subtaskPages } from './routes/pages/subtasks.ts'
import { taskPages } from './routes/pages/tasks.ts'
import { projectApi } from './routes/projects.ts'
import { signInPages } from './routes/sign-in.ts'
import { subtaskApi } from './routes/subtasks.ts'
import { taskApi } from './routes/tasks.ts'
import { tokenApi } from './routes/tokens.ts'
import { userApi } from './routes/users.ts'
import type { Directory } from './tenancy/directory.ts'
import { tenantRequests } from './tenancy/request.ts'
import type { Tenancy } from './tenancy/tenancy.ts'

export interface AppOptions {
  readonly tenancy: Tenancy
  readonly directory: Directory
  readonly ready: Readiness
  readonly baseDomain: string
  /** Proxies whose X-Forwarded-* headers are believed. */
  readonly trustProxy: readonly string[]
  /** None, unless given. */
  readonly rateLimits?: RateLimits | undefined
  /** How many there are, with this one; 1 unless given. */
  readonly processes?: number | undefined
  readonly logger: FastifyServerOptions['logger']
  /** The mean delay of the event loop from which on requests are refused, in milliseconds; 100 unless given, 0: none is. */
  readonly maxDelay?: number | undefined
  /** More of the tenanted API: tests bring routes of their own. */
  readonly more?: FastifyPluginAsync | undefined
}

export async function buildApp (options: AppOptions): Promise<FastifyInstance> {
  const { tenancy, directory, ready, baseDomain, trustProxy, rateLimits = { session: 0, account: 0 } } = options
  const { processes = 1, logger = false, maxDelay = 100, more } = options
  const app = fastify({
    logger: typeof logger === 'object' ? { ...logger, serializers: discreet } : logger,
    genReqId: () => randomUUID(),
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    bodyLimit: 64 * 1024,
    requestTimeout: 15_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 },
    return503OnClosing: false, // a connection that is still open is answered as ever, and told to close: src/closing.ts
    routerOptions: { ignoreTrailingSlash: true },
    ajv: strictSchemas,
    serializerOpts: knownFormats,
    schemaController: { compilersFactory },
    frameworkErrors: (error, request, reply) => { // an address that cannot be read: no hook runs, and its form goes by its beginning
      reply.headers(securityHeaders(request.url))
      answerError(error, request as never, reply as never, request.url.startsWith('/api/') ? asProblem : asPage)
    },
    clientErrorHandler: answerUnreadable
  })
  answerErrors(app, asPage)
  await app.register(orderlyClose)
  app.addHook('onRequest', (request, reply, done) => { reply.headers(securityHeaders(request.url)); done() })
  await app.register(underPressure, pressure(maxDelay))
  await app.register(strictInput)
  await app.register(methodsOfRoutes)

  // Of no tenant, on purpose
  await app.register(healthRoutes, { ready })
  await app.register(assetRoutes)

  // host -> account -> transaction: src/tenancy/request.ts
  shareCores(processes)
  const rates = createRates(tenancy, rateLimits, error => app.log.warn(error, 'requests could not be counted over all processes'))
  app.addHook('onClose', async () => rates.close())
  await app.register(tenantRequests, { tenancy, directory, baseDomain, admit: admission(rates) })
  await app.register(marksUse)
  await app.register(homeRoute, { baseDomain })

  await app.register(async pages => {
    await pages.register(pageInput)
    pages.tenanted(pages)
    await pages.register(forms)
    await pages.register(signInPages)
    await pages.register(invitationPages)
    await pages.register(subtaskPages)
    await pages.register(projectPages)
    await pages.register(taskPages)
    await pages.register(memberPages)
    await pages.register(auditPages)
    await pages.register(myPages)
  })

  await app.register(async api => {
    answerErrors(api, asProblem)
    await api.register(openApi)
    await api.register(async tenanted => {
      api.tenanted(tenanted)
      await tenanted.register(projectApi)
      await tenanted.register(taskApi)
      await tenanted.register(subtaskApi)
      await tenanted.register(myApi)
      await tenanted.register(tokenApi)
      await tenanted.register(userApi)
      await tenanted.register(invitationApi)
      await tenanted.register(logApi)
      if (more) await tenanted.register(more)
    })
  }, { prefix: '/api' })

  return app
}

/**
 * A process that keeps standing still answers 503, until it has moved for a second. The delay is a mean over the interval, in milliseconds:
 * 6 at the most in a busy process, with 10 connections as with 400 (measured), several hundred when stalls of half a second and more follow
 * each other. A single one leaves requests late, but served. A shorter interval would take it for an overload: the
 * fewer turns of the loop it has, the more one of them counts, and without any the delay is infinite.
 */
const pressure = (maxEventLoopDelay: number, started = Date.now(), damp = damper()) => ({
  sampleInterval: 1_000,
  maxEventLoopDelay,
  async pressureHandler () {
    if (Date.now() - started < 3_000) return // it is our own start that it stood still for
    await damp()
    throw new AppError('overloaded')
  }
})
