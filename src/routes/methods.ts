// An address that is there, asked with a method that it does not have: 405 with those that it has, and to OPTIONS just that list.
// Fastify would say 404. Answered before a body is read; nothing here asks the database for more than whose host it is.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import findMyWay from 'find-my-way'
import { AppError } from '../errors.ts'
import { answerSocket } from './errors.ts'

/** Goes before every route, since it remembers those that come after it. */
export const methodsOfRoutes = fastifyPlugin(async (app: FastifyInstance) => {
  const routes = findMyWay(app.initialConfig.routerOptions)
  const methods = new Set<findMyWay.HTTPMethod>()

  app.addHook('onRoute', route => {
    for (const method of [route.method].flat() as findMyWay.HTTPMethod[]) {
      routes.on(method, route.url, () => {}, route)
      methods.add(method)
    }
  })

  app.addHook('onRequest', (request, reply, done) => request.is404 ? answer(request, reply) : done())

  async function answer (request: FastifyRequest, reply: FastifyReply) {
    const found = [...methods].flatMap(method => {
      const route = routes.find(method, request.url)?.store as RouteOptions | undefined
      return route ? [{ method, tenanted: route.config?.tenanted }] : []
    })
    if (!found[0]) throw new AppError('not_found')
    // the host comes first, as for any other request
    const { tenanted } = found[0]
    if (tenanted && !(tenanted === 'or bare' && request.site.kind === 'bare')) await request.resolveAccount()
    reply.header('allow', [...found.map(route => route.method), 'OPTIONS'].join(', '))
    if (request.method !== 'OPTIONS') throw new AppError('method_not_allowed')
    return reply.code(204).send()
  }

  // Node hands these to nobody else, and would hang up. We are nobody's proxy.
  app.server.on('connect', (_request, socket) => answerSocket(socket, 'method_not_allowed', { Allow: '' }))
})
