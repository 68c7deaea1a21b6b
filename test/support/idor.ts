// Every place where a tenanted route takes an id, tried with another account's, with one that never was, and with one that is none:
// all must look the same to whoever asks. What is wrong comes back in words.
import { v7 } from 'uuid'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { Slot } from '../../src/tenancy/slot.ts'
import { A, B, type Owner, type TestDatabase } from './database.ts'
import type { Reply, Site } from './http.ts'
import { NotCovered, type Parameter, parametersOf, requestTo } from './parameters.ts'
import type { Route } from './routes.ts'
import { everythingOf, newRows } from './rows.ts'
import { quiet } from './second-wall.ts'
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
    const [theirs, own] = [await rowsOf(B), await rowsOf(A)]
    const before = await everythingOf(database.admin, B)
    const tried = (id: string) => ask(route, parameters, own, target, id)
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
    const { path, ...options } = requestTo(route, parameters, each => each === target ? id : each.refersTo ? own.get(each.refersTo) : each.value)
    return site.get(hosts[0], path, options)
  }

  async function rowsOf (account: typeof A): Promise<Map<string, string>> {
    await quiet(database.admin)
    return newRows(database.admin, account)
  }
}

/** All of a reply that a client sees, but for what differs from request to request. */
function look ({ status, headers, body }: Reply): string {
  const { date, 'x-request-id': id, ...others } = headers
  return JSON.stringify([status, others, body])
}

/** How many statements have been sent so far, but for those that open a transaction or ask who it is that asks. */
function countQuestions (owner: Owner): () => number {
  const { send } = Slot.prototype
  let n = 0
  Slot.prototype.send = function (text, values, way) {
    if (way !== 'control' && !/tenancy\.(enter|resolve)|^select .* from "(sessions|api_tokens)"/.test(text)) n++
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
