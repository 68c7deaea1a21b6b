import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { isSignedIn } from '../auth/admission.ts'
import { oldAttempts } from '../auth/attempts.ts'
import { forgetSession } from '../auth/sessions.ts'
import { signIn } from '../auth/sign-in.ts'
import { changesOf } from '../audit.ts'
import { sessions } from '../db/schema.ts'
import { AppError } from '../errors.ts'
import { type SignInForm, signInPage } from '../views/sign-in.ts'

const next = Type.Optional(Type.String({ description: 'Where to go then: a path of this host' }))
const question = Type.Object({ next }, { additionalProperties: false })
const form = Type.Object({ email: Type.String(), password: Type.String(), next }, { additionalProperties: false })

/** The only pages that are there for whoever is not signed in. */
export async function signInPages (app: FastifyInstance) {
  const sweep = oldAttempts()

  app.get<{ Querystring: Static<typeof question> }>('/sign-in', { config: { open: true }, schema: { querystring: question } }, async (request, reply) => {
    const { next } = request.query
    if (await isSignedIn(request)) return reply.redirect(ownPath(next), 303)
    return show(request, reply, { ...next !== undefined && { next } })
  })

  app.post<{ Body: Static<typeof form> }>('/sign-in', { config: { open: true }, schema: { body: form } }, async (request, reply) => {
    const { email: given, password, next = '' } = request.body
    const email = given.trim().toLowerCase()
    const again = { email: given, next }
    if (!isAddress(email)) return show(request, reply.code(400), { ...again, problem: 'Give the e-mail address in full, such as name@example.com.', field: 'email' })
    if (password === '') return show(request, reply.code(400), { ...again, problem: 'Give the password, too.', field: 'password' })
    sweep(request.account.id, work => request.withTenant(work), error => request.log.warn(error, 'old attempts to sign in could not be removed'))
    try {
      await signIn(request, reply, email, password)
    } catch (error) {
      if (!(error instanceof AppError) || !shown.includes(error.code)) throw error
      return show(request, reply.code(error.statusCode).headers(error.headers), { ...again, problem: error.message })
    }
    return reply.redirect(ownPath(next), 303)
  })

  app.post('/sign-out', { config: { may: 'manageSelf' } }, async (request, reply) => {
    const { session } = await request.user()
    await changesOf(request).remove(sessions, session!, undefined, 'sign-out')
    forgetSession(request, reply)
    return reply.redirect('/sign-in', 303)
  })
}

/** What whoever signs in can do something about: it is said where they can do it. */
const shown: readonly string[] = ['sign_in_failed', 'too_many_attempts', 'too_many_requests']

const show = ({ account }: FastifyRequest, reply: FastifyReply, filled: SignInForm) =>
  reply.type('text/html; charset=utf-8').send(signInPage(account, filled))

/** No more than what a form's field of an e-mail address lets through: whether it is somebody's, the database knows. */
const isAddress = (text: string) => text.length <= 254 && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(text)

/** Where to go: a path of our own, and nothing that a browser would take for another host's address. */
function ownPath (path = '/'): string {
  return /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path) ? path : '/'
}
