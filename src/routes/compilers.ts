// What a schema compiles to, kept: most routes answer with the same few, and every GET has a HEAD besides. Of 320 schemas 60 are different,
// and to compile each time took a quarter of the time that a server starts in.
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
      if (!kept.has(key)) kept.set(key, compile(part))
      return kept.get(key)
    }
  }) as Build
}
