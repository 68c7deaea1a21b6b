// Every place where a tenanted route takes an id, tried with another account's, with one that never was, and with one that is none:
// all must look the same to whoever asks. What is wrong comes back in words.
import { v7 } from 'uuid'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { Slot } from '../../src/tenancy/slot.ts'
import { canary } from './canary.ts'
import { A, B, type Owner, type TestDatabase } from './database.ts'
import type { Reply, Site } from './http.ts'
import { NotCovered, type Parameter, parametersOf } from './parameters.ts'
import type { Route } from './routes.ts'
import { inDatabase, sampleRows } from '../../src/prove/samples.ts'
import { bearing, everythingOf } from './rows.ts'
import { signIn } from './signed-in.ts'

/** What an id that leads nowhere may be answered: not there; or, in a body, that what it refers to is not there. */
const nowhere = (parameter: Parameter) => parameter.in === 'body' ? [404, 409] : [404]

/** @param hosts of the accounts A and B */
export async function idorProblems (owner: Owner, database: TestDatabase, site: Site, routes: Route[], hosts: [string, string]): Promise<string[]> {
  const problems: string[] = []
  const lent = countLoans(owner)
  const asked = countQuestions(owner)
  for (const route of routes.filter(({ tenanted }) => tenanted)) {
    await signIn(database.admin) // again, should a route have ended the session
    const complain = (what: string) => problems.push(`${route.method} ${route.url}: ${what}`)
    try {
      const parameters = parametersOf(route)
      for (const parameter of parameters.filter(({ refersTo }) => refersTo)) await attack(route, parameters, parameter, complain)
      for (const parameter of parameters.filter(({ cursor }) => cursor)) await attackCursor(route, parameter, complain)
      const { status } = await ask(route, parameters, await rowsOf(A)) // so that the attacks failed for their ids, and for nothing else
      const works = parameters.some(({ refersTo }) => refersTo) ? status < 400 : status < 500
      if (!works) complain(`answered ${status} to a request about the account's own rows: not covered`)
    } catch (error) {
      complain(error instanceof NotCovered ? `not covered: ${error.message}` : (error as Error).message.split('\n')[0]!)
    }
  }
  return problems

  async function attack (route: Route, parameters: Parameter[], target: Parameter, complain: (what: string) => void): Promise<void> {
    const name = `${target.in} ${target.path.join('.')}`
    const theirs = await rowsOf(B)
    const before = await everythingOf(database.admin, B)
    const tried = async (id: string) => ask(route, parameters, await rowsOf(A), target, id)
    const foreign = await tried(theirs.get(target.refersTo!)!)
    const unknown = await tried(v7())
    const loans = lent()
    const malformed = await tried('no-id')
    if (!nowhere(target).includes(foreign.status)) complain(`${name}: another account's id is answered ${foreign.status}`)
    if (look(foreign) !== look(unknown)) complain(`${name}: another account's id is told from one that never was: ${look(foreign)} / ${look(unknown)}`)
    const early = malformed.status === 400 && lent() === loans
    if (!early && look(malformed) !== look(unknown)) complain(`${name}: a malformed id is answered ${malformed.status}${lent() === loans ? '' : ', with a connection taken'}`)
    if (await everythingOf(database.admin, B) !== before) complain(`${name}: another account's rows were changed`)
  }

  /** A cursor that the other account was given is as good as one that nobody was given. */
  async function attackCursor (route: Route, { path: [name] }: Parameter, complain: (what: string) => void): Promise<void> {
    await rowsOf(B)
    await rowsOf(B)
    const page = (host: string, query: Record<string, string>, method = route.method) =>
      site.get(host, `${route.url}?${new URLSearchParams(query)}`, { method })
    const { next } = (await page(hosts[1], { limit: '1' }, 'GET')).json() as { next?: string } // HEAD says nothing
    if (typeof next !== 'string') return complain(`querystring ${name}: no page says where the next one begins: not covered`)
    const before = asked()
    const [foreign, invented] = [await page(hosts[0], { [name!]: next }), await page(hosts[0], { [name!]: 'A'.repeat(next.length) })]
    if (foreign.status !== 400 || look(foreign) !== look(invented)) complain(`querystring ${name}: another account's cursor is answered ${foreign.status}`)
    if (asked() !== before) complain(`querystring ${name}: another account's cursor reaches the database`)
    const own = (await page(hosts[1], { [name!]: next })).status
    if (own !== 200) complain(`querystring ${name}: the account's own cursor is answered ${own}`)
  }

  function ask (route: Route, parameters: Parameter[], own: Map<string, string>, target?: Parameter, id?: string): Promise<Reply> {
    const valueOf = (each: Parameter) => each === target ? id : each.refersTo ? own.get(each.refersTo) : each.value
    const of = (where: Parameter['in']) => parameters.filter(each => each.in === where && !each.cursor)
    const path = of('params').reduce((url, each) =>
      url.replace(new RegExp(`:${each.path[0]}(\\((?:[^()\\\\]|\\\\.|\\([^()]*\\))*\\))?`), encodeURIComponent(String(valueOf(each)))), route.url)
    const query = new URLSearchParams(Object.fromEntries(of('querystring').map(each => [each.path[0]!, String(valueOf(each))]))).toString()
    const body = of('body').reduce<unknown>((whole, each) => withValue(whole, each.path, valueOf(each)), route.schema.body ? {} : undefined)
    return site.get(hosts[0], query ? `${path}?${query}` : path, {
      method: route.method, ...body !== undefined && { headers: { 'content-type': 'application/json' }, payload: JSON.stringify(body) }
    })
  }

  /** A new row of each table for this account, and its id: what an earlier request did to others does not matter. */
  async function rowsOf (account: typeof A): Promise<Map<string, string>> {
    const ids = new Map<string, string>()
    for (const { table, name, row } of sampleRows(account).map(sample => bearing(sample, canary(account)))) {
      if (!('id' in row)) continue
      const unique = Object.fromEntries(Object.entries(row).map(([column, value]) => [column, column === 'email' ? `${v7()}@example.com` : value]))
      await database.admin`insert into ${database.admin(name)} ${database.admin(inDatabase(table, unique) as never)}`
      ids.set(name, String(row.id))
    }
    return ids
  }
}

/** All of a reply that a client sees, but for what differs from request to request. */
function look ({ status, headers, body }: Reply): string {
  const { date, 'x-request-id': id, ...others } = headers
  return JSON.stringify([status, others, body])
}

function withValue (whole: unknown, [first, ...rest]: readonly string[], value: unknown): unknown {
  if (first === undefined) return value
  if (/^\d+$/.test(first)) return [withValue(undefined, rest, value)]
  const object = (whole ?? {}) as Record<string, unknown>
  return { ...object, [first]: withValue(object[first], rest, value) }
}

/** How many statements have been sent so far, but for those that open a transaction or ask who it is that asks. */
function countQuestions (owner: Owner): () => number {
  const { send } = Slot.prototype
  let n = 0
  Slot.prototype.send = function (text, values, way) {
    if (way !== 'control' && !/tenancy\.enter|^select .* from "(sessions|api_tokens)"/.test(text)) n++
    return send.call(this, text, values, way)
  }
  owner.teardown(() => { Slot.prototype.send = send })
  return () => n
}

/** How often a tenant's transaction has been lent a connection so far. */
function countLoans (owner: Owner): () => number {
  const { acquire } = SlotPool.prototype
  let n = 0
  SlotPool.prototype.acquire = function (holder) {
    if (typeof holder === 'number') n++
    return acquire.call(this, holder)
  }
  owner.teardown(() => { SlotPool.prototype.acquire = acquire })
  return () => n
}
