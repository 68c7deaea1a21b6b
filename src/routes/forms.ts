// What a page's form sends. Its pages read forms and nothing else, as strictly as the API reads JSON.
import type { FastifyInstance } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { AppError } from '../errors.ts'

/** Has a scope read forms: `request.body` is then the fields by name, each of them text. */
export const forms = fastifyPlugin(async (app: FastifyInstance) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(notAForm()))
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, ({ headers }, body: Buffer, done) => {
    const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
    if (!inUtf8.test(type) || encoding !== 'identity') return done(notAForm())
    try {
      done(null, fieldsOf(utf8.decode(body)))
    } catch (error) {
      done(error instanceof AppError ? error : new AppError('bad_request', { message: 'The form is not in UTF-8, or not encoded as a form is.' }))
    }
  })
})

const inUtf8 = /^application\/x-www-form-urlencoded\s*(;\s*charset=("utf-8"|utf-8)\s*)?$/i

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const notAForm = () => new AppError('unsupported_media_type', { message: 'The body must be a form in UTF-8: content-type application/x-www-form-urlencoded.' })

/** @throws {AppError} bad_request, invalid_text; {URIError} */
function fieldsOf (body: string): Record<string, string> {
  const fields = new Map<string, string>()
  for (const pair of body.split('&')) {
    if (pair === '') continue
    const [name, value] = [pair.replace(/=.*/s, ''), pair.replace(/^[^=]*=?/, '')].map(decoded) as [string, string]
    if (fields.has(name)) throw new AppError('bad_request', { message: 'The form has a field more than once.' })
    fields.set(name, value)
  }
  return Object.assign(Object.create(null) as object, Object.fromEntries(fields))
}

/** URLSearchParams would replace what is not UTF-8, and nobody would hear of it. */
function decoded (text: string): string {
  const plain = decodeURIComponent(text.replaceAll('+', ' '))
  if (plain.includes('\0')) throw new AppError('invalid_text')
  return plain
}
