// What a schema compiles to: made with the first call, and kept. Most routes answer with the same few, and every GET has a HEAD besides: of
// 320 schemas 60 are different. To compile those while the server starts took an eighth of that time, and ten megabytes.
import ajvCompiler from '@fastify/ajv-compiler'
import jsonCompiler from '@fastify/fast-json-stringify-compiler'

/** For fastify({ schemaController }). */
export const compilersFactory = { buildValidator: once(ajvCompiler()), buildSerializer: once(jsonCompiler()) }

/** The options are the same at each call: those that Fastify was given. What is compiled has its schema in `part`. */
function once<Build extends (schemas: any, options: any) => (part: any) => unknown> (build: Build): Build {
  const kept = new Map<string, unknown>()
  return ((schemas, options) => {
    const compile = build(schemas, options)
    const known = JSON.stringify(schemas)
    return (part: { schema: unknown }) => {
      const key = known + JSON.stringify(part.schema)
      if (!kept.has(key)) kept.set(key, whenCalled(() => compile(part)))
      return kept.get(key)
    }
  }) as Build
}

/** A validator leaves what it found wrong in `errors`. */
function whenCalled (compile: () => any) {
  let compiled: any
  const call = (value: unknown) => {
    const result = (compiled ??= compile())(value)
    call.errors = compiled.errors
    return result
  }
  call.errors = undefined as unknown
  return call
}
