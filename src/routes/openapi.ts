import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { may } from '../auth/roles.ts'

/** `openapi.json` and a page to read it. Describes every route that is registered after it in the same scope. */
export const openApi = fastifyPlugin(async (app: FastifyInstance) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Rowhouse', version: '0.1.0', description: 'One account\'s data: the account of the host that is asked.' },
      servers: [{ url: '/' }],
      components: { securitySchemes }
    },
    transform: withSecurity
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: app.prefix,
    staticCSP: true,
    transformStaticCSP: () => pagePolicy
  })
})

/** What src/auth/credentials.ts reads. */
const securitySchemes = {
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-session',
    description: 'The cookie of a browser that is signed in; without TLS, on localhost, it is called `session`. Changes must be asked from a page of this host'
  },
  token: { type: 'http', scheme: 'bearer', description: 'An API token; `POST /api/tokens` makes one' }
} as const

/** A route takes either of them, unless it is open, or for people only. */
const withSecurity: NonNullable<FastifyDynamicSwaggerOptions['transform']> = ({ schema, url, route: { config } }) => {
  const { open, may: wanted = 'read' } = config ?? {}
  const schemes = may('owner', wanted, 'write') ? ['session', 'token'] : ['session']
  return { schema: { ...schema, security: open ? [] : schemes.map(name => ({ [name]: [] })) }, url }
}

/** The page runs a script, unlike ours: its own, and it may call us. Nothing comes from elsewhere. */
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
