// What the pages of an account have in common: what is around them, and how forms are answered.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { type TProperties, Type } from 'typebox'
import { AppError, type ErrorCode } from '../../errors.ts'
import type { Filled } from '../../views/forms.ts'
import type { Frame, Html } from '../../views/layout.ts'
import { type Notice, notices } from '../../views/notices.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What to say at a field that cannot be read. The route then has to show its form again: see mistakes(). */
    fields?: Readonly<Record<string, string>>
  }
}

/**
 * Goes before the tenant. An id that is none leads nowhere, like one that never was; a query, or a part of a form that nobody typed, that
 * cannot be read is refused; and what somebody typed is left to the route, to be put right.
 */
export const pageInput = fastifyPlugin(async (pages: FastifyInstance) => {
  pages.addHook('onRoute', route => { route.attachValidation = true })
  pages.addHook('preHandler', (request, _reply, done) => {
    const { validationError: error } = request
    if (error?.validationContext === 'params') return done(new AppError('not_found'))
    done(mistakes(request) ? undefined : error)
  })
})

/** What was typed, and what is wrong with it; undefined if nothing is. */
export function mistakes ({ validationError: error, body, routeOptions: { config: { fields = {} } } }: FastifyRequest): Filled | undefined {
  if (error?.validationContext !== 'body') return undefined
  const name = error.validation[0]!.instancePath.slice(1)
  const sentence = fields[name]
  return sentence === undefined ? undefined : { values: body as Record<string, string>, errors: { [name]: sentence } }
}

/** What a page's form sends. */
export const form = <P extends TProperties>(fields: P) => ({
  consumes: ['application/x-www-form-urlencoded'], body: Type.Object(fields, { additionalProperties: false })
})

/** The version of what a form changes, as it was when the form was shown. */
export const seen = Type.String({ pattern: '^[1-9]\\d{0,8}$' })

/** What a page is asked for besides. */
export const asked = {
  notice: Type.Optional(Type.Enum(Object.keys(notices) as Notice[], { description: 'What has just been done' })),
  page: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 999_999_999 }), Type.Literal('last')], { description: 'Counted from 1; the first unless given' }))
}

export const noticed = Type.Object({ notice: asked.notice }, { additionalProperties: false })

export const frameOf = async (request: FastifyRequest): Promise<Frame> =>
  ({ account: request.account, user: await request.user(), notice: (request.query as { notice?: Notice }).notice })

export const sendPage = (reply: FastifyReply, page: Html): FastifyReply => reply.type('text/html; charset=utf-8').send(page)

/** After a change: to a page that shows it, and says so. */
export const seeOther = (reply: FastifyReply, path: string, notice?: Notice): FastifyReply => reply.redirect(notice ? `${path}?notice=${notice}` : path, 303)

/** The error, if it is one of these, which are the form's matter; thrown on if not. */
export function expected (error: unknown, ...codes: ErrorCode[]): AppError {
  if (error instanceof AppError && codes.includes(error.code)) return error
  throw error
}

export const changedMeanwhile = 'This was changed in the meantime. See what it is now; then save again, if it is still right.'
