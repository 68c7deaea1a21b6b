// How strictly a request is read. Fastify and ajv are lenient by default: what they take for something else is an error here.
import type { FastifyInstance, FastifySchema, preValidationHookHandler } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { AppError } from '../errors.ts'

/** Of texts that people give (text.ts), and what to tell those who gave another. */
export const formats: Record<string, { readonly passes: RegExp, readonly words: string }> = {
  text: { passes: /^[^\0\p{Cs}]*$/u, words: 'must be text that can be stored: without NUL, and without half of a surrogate pair' },
  name: { passes: /^(?=.*\P{White_Space})[^\p{Cc}\p{Cs}\u2028\u2029]*$/u, words: 'must be one line of text, with something to read in it' }
}

/** For fastify({ ajv }): nothing becomes another type, and nothing is taken away. */
export const strictSchemas = {
  customOptions: { coerceTypes: false, removeAdditional: false },
  onCreate: (ajv: { addFormat (name: string, format: RegExp): unknown }) => {
    ajv.addFormat('cursor', /^[A-Za-z0-9_-]{22,4000}$/) // src/tenancy/cursor.ts
    for (const [name, { passes }] of Object.entries(formats)) ajv.addFormat(name, passes)
    ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i) // ajv's own lets urn:uuid: pass, PostgreSQL does not
  }
} as const

/** For fastify({ serializerOpts }): what we send has been looked at when it came. */
export const knownFormats = { ajv: { formats: Object.fromEntries(Object.keys(formats).map(name => [name, true as const])) } }

export const strictInput = fastifyPlugin(async (app: FastifyInstance) => {
  // Node lets these through: versions that it does not speak, codings that it does not undo, and chunks in HTTP/1.0, which knows none,
  // so that a proxy may see the end of the body elsewhere.
  app.addHook('onRequest', ({ raw: { httpVersion, headers } }, reply, done) => {
    const coding = headers['transfer-encoding']?.toLowerCase()
    if (httpVersion === '1.1' ? coding === undefined || coding === 'chunked' : httpVersion === '1.0' && coding === undefined) return done()
    reply.header('connection', 'close')
    done(new AppError('bad_request', { message: 'The request must be HTTP/1.1, and no transfer coding but chunked is known.' }))
  })

  app.addHook('onRoute', route => {
    const { querystring, params } = route.schema ?? {}
    const parts = [{ part: 'query', names: integersOf(querystring) }, { part: 'params', names: integersOf(params) }] as const
    if (parts.some(({ names }) => names.length > 0)) route.preValidation = [readNumbers(parts), ...[route.preValidation ?? []].flat()]
  })

  const parse = app.getDefaultJsonParser('error', 'error') // "__proto__" and the like
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const { 'content-type': type, 'content-encoding': encoding = 'identity' } = request.headers
    if (!inUtf8.test(type ?? '') || encoding !== 'identity') return done(new AppError('unsupported_media_type'))
    let text
    try {
      text = utf8.decode(body)
    } catch {
      return done(new AppError('bad_request', { message: 'The body is not in UTF-8.' }))
    }
    return parse(request, text, done)
  })
})

const inUtf8 = /^application\/json\s*(;\s*charset=("utf-8"|utf-8)\s*)?$/i
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) // one BOM is left to the parser

interface Property { readonly type?: string, readonly anyOf?: readonly Property[] }

/** The properties that a schema wants to be whole numbers, or lets be; of its own, not of schemas that it refers to. */
function integersOf (schema: FastifySchema['querystring']): string[] {
  const { properties = {} } = (schema ?? {}) as { properties?: Record<string, Property> }
  return Object.keys(properties).filter(name => mayBeInteger(properties[name]!))
}

const mayBeInteger = ({ type, anyOf = [] }: Property): boolean => type === 'integer' || anyOf.some(mayBeInteger)

/** A query and a path are text: digits become the number they write. 0x10, 1e1, +1, 1.0 and 01 stay text, which is then no integer. */
function readNumbers (parts: readonly { part: 'query' | 'params', names: string[] }[]): preValidationHookHandler {
  return (request, _reply, done) => {
    for (const { part, names } of parts) {
      const values = request[part] as Record<string, unknown>
      for (const name of names) {
        const value = values[name]
        if (typeof value === 'string' && /^(0|[1-9]\d{0,14})$/.test(value)) values[name] = Number(value)
      }
    }
    done()
  }
}
