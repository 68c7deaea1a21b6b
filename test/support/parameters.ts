// What a route takes, from its URL and JSON schemas: where an id may be named, of which table, and what else has to be sent.
import { getTableName } from 'drizzle-orm'
import { tenantTables } from '../../src/db/schema.ts'
import { formats } from '../../src/routes/input.ts'
import type { Route } from './routes.ts'

interface Schema {
  readonly type?: string
  readonly format?: string
  readonly pattern?: string
  readonly enum?: unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly minLength?: number
  readonly properties?: Record<string, Schema>
  readonly items?: Schema
  readonly anyOf?: Schema[]
  readonly oneOf?: Schema[]
}

export interface Parameter {
  readonly in: 'params' | 'querystring' | 'body'
  /** The way to it from the top of the body or query; an array's item is `0`. */
  readonly path: readonly string[]
  /** The table whose id it takes, or something to send that is no reference. */
  readonly refersTo?: string
  readonly value?: unknown
  /** A cursor: sent only where it is what is tried. */
  readonly cursor?: boolean
}

export class NotCovered extends Error {}

/** @throws {NotCovered} if there is no rule for one of them */
export function parametersOf ({ url, schema }: Route): Parameter[] {
  const inUrl = [...url.matchAll(/:(\w+)(\((?:[^()\\]|\\.|\([^()]*\))*\))?/g)].map(([whole, name, pattern]) => {
    const described = (schema.params as Schema | undefined)?.properties?.[name!]
    return one('params', [name!], described ?? (pattern ? { type: 'string', pattern: pattern.slice(1, -1) } : { type: 'string', format: 'uuid' }),
      url.slice(0, url.indexOf(whole)).split('/').filter(part => part && !part.startsWith(':')).at(-1))
  })
  if (url.includes('*')) throw new NotCovered('a wildcard in the URL')
  return [...inUrl, ...within('querystring', schema.querystring), ...within('body', schema.body)]
}

function within (where: 'querystring' | 'body', schema: unknown, path: string[] = []): Parameter[] {
  if (schema === undefined) return []
  const { type, properties = {}, items, anyOf, oneOf } = schema as Schema
  const choice = anyOf ?? oneOf
  if (choice) return within(where, choice.find(each => each.type !== 'null'), path)
  if (type === 'object' || (path.length === 0 && type === undefined)) return Object.entries(properties).flatMap(([name, each]) => within(where, each, [...path, name]))
  if (type === 'array') return within(where, items, [...path, '0'])
  return [one(where, path, schema as Schema)]
}

function one (where: Parameter['in'], path: string[], schema: Schema, collection?: string): Parameter {
  const name = path.findLast(part => !/^\d+$/.test(part)) ?? ''
  const known = { in: where, path }
  if (where === 'querystring' && schema.format === 'cursor') return { ...known, cursor: true }
  const stem = /^(?:(\w+?)(?:_i|I)ds?|id)$/.exec(name)
  if (stem || schema.format === 'uuid') {
    const wanted = stem?.[1]?.toLowerCase() ?? collection ?? ''
    const table = tenantTables.map(getTableName).find(each => [wanted, `${wanted}s`, `${wanted}es`, wanted.replace(/y$/, 'ies')].includes(each.replaceAll('_', '')) || each.endsWith(`_${wanted}`))
    if (!table) throw new NotCovered(`${where} ${path.join('.')}: an id, but of which table?`)
    return { ...known, refersTo: table }
  }
  const value = harmless(name, schema)
  if (value === undefined) throw new NotCovered(`${where} ${path.join('.')}: ${JSON.stringify(schema)}`)
  return { ...known, value }
}

/** Names of what could be a reference in disguise. */
const suspicious = /cursor|token|after|before|ref|key|slug|owner|parent/i

/** What to send for a parameter that names no row; undefined if we cannot tell. */
function harmless (name: string, { type, format, pattern, enum: among, const: only, minimum = 1, minLength = 1 }: Schema): unknown {
  if (only !== undefined) return only
  if (among) return among[0]
  if (type === 'integer' || type === 'number') return minimum
  if (type === 'boolean') return true
  if (type !== 'string' || suspicious.test(name)) return undefined
  if (format === 'email') return 'a@example.com'
  if (format === 'date-time') return '2026-01-01T00:00:00Z'
  if (format === 'date') return '2026-01-01'
  if (format && !(format in formats)) return undefined
  // a URL's part or a text: something short that its pattern accepts, and that could not be an id
  return ['1', 'text', 'Text.', '/', 'a'.repeat(minLength)].find(text => text.length >= minLength && (!pattern || new RegExp(pattern, 'u').test(text)))
}

export interface Asked { path: string, method: string, headers?: Record<string, string>, payload?: string }

/** A request to this route. Cursors are left out. */
export function requestTo (route: Route, parameters: Parameter[], valueOf: (each: Parameter) => unknown): Asked {
  const of = (where: Parameter['in']) => parameters.filter(each => each.in === where && !each.cursor)
  const path = of('params').reduce((url, each) =>
    url.replace(new RegExp(`:${each.path[0]}(\\((?:[^()\\\\]|\\\\.|\\([^()]*\\))*\\))?`), encodeURIComponent(String(valueOf(each)))), route.url)
  const query = new URLSearchParams(Object.fromEntries(of('querystring').map(each => [each.path[0]!, String(valueOf(each))]))).toString()
  const body = of('body').reduce<unknown>((whole, each) => withValue(whole, each.path, valueOf(each)), route.schema.body ? {} : undefined)
  const [type = 'application/json'] = route.schema.consumes ?? []
  return {
    path: query ? `${path}?${query}` : path,
    method: route.method,
    ...body !== undefined && { headers: { 'content-type': type }, payload: type === 'application/json' ? JSON.stringify(body) : String(new URLSearchParams(body as {})) }
  }
}

function withValue (whole: unknown, [first, ...rest]: readonly string[], value: unknown): unknown {
  if (first === undefined) return value
  if (/^\d+$/.test(first)) return [withValue(undefined, rest, value)]
  const object = (whole ?? {}) as Record<string, unknown>
  return { ...object, [first]: withValue(object[first], rest, value) }
}
