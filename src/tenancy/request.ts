// A tenanted request: host -> account -> transaction -> who asks -> reply -> commit. The transaction opens with the first query: a request that asks
// the database nothing takes no connection. The scope that calls tenanted() and whatever is registered inside it has these hooks; a
// route outside has no tenant, and asking for one there throws.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import type { User } from '../auth/admission.ts'
import { AppError, TenantMissingError } from '../errors.ts'
import type { Account, Directory } from './directory.ts'
import { type Host, parseHost } from './host.ts'
import { claim, idempotencyKey, keep, oldKeys } from './idempotency.ts'
import type { Tenant } from './scope.ts'
import type { Tenancy } from './tenancy.ts'
import type { Mode, Transaction } from './transaction.ts'

/** Where a request keeps what only these hooks may see of it. */
const state = Symbol('tenancy')

declare module 'fastify' {
  interface FastifyRequest {
    [state]?: State | undefined
    /** Which part of us the request means. @throws {AppError} host_not_served, account_not_found */
    readonly site: Host
    /** The account whose host this is. @throws {TenantMissingError} outside a tenanted scope */
    readonly account: Account
    /** The account's rows, in this request's transaction. @throws {TenantMissingError} outside a tenanted scope */
    readonly tenant: Tenant
    /**
     * Runs `work` in a transaction of its own, apart from the request's: for what is to be kept whatever the reply, or to be over
     * before something slow begins.
     */
    withTenant<T> (work: (tenant: Tenant) => Promise<T>, mode?: Mode): Promise<T>
    /** Finds the account whose host this is. @throws {AppError} account_not_found, account_suspended */
    resolveAccount (): Promise<Account>
    /** Who asks. Not waited for until somebody wants to know. @throws {AppError} what Admit throws */
    user (): Promise<User>
    /** For whoever answers an error: undoes what was done, and tells why whoever asks may not; undefined if they may, or nobody has to be anyone. */
    refusal (): Promise<unknown>
  }
}

/** Asks in the request's transaction who makes it and whether they may, without waiting. Undefined for a route that is open to everyone. */
export type Admit = (request: FastifyRequest) => Promise<User> | undefined

/** With all that it may have from the beginning: V8 takes long to add to an object what it has not had before. */
class State {
  account: Account | undefined = undefined
  tenant: Tenant | undefined = undefined
  transaction: Transaction | undefined = undefined
  user: Promise<User> | undefined = undefined
  /** Nothing leaves before it is known that whoever asks may. */
  toBeAdmitted = false
  /** The Idempotency-Key under which the reply is to be kept. */
  key: string | undefined = undefined
}

export interface TenantRequestOptions { readonly tenancy: Tenancy, readonly directory: Directory, readonly baseDomain: string, readonly admit: Admit }

/** Gives every request its tenancy properties, and the instance `tenanted(scope)`, which makes a scope tenanted. */
export const tenantRequests = fastifyPlugin(async (app: FastifyInstance, { tenancy, directory, baseDomain, admit }: TenantRequestOptions) => {
  const sweep = oldKeys()
  const stateOf = (request: FastifyRequest): State => request[state] ?? new State()

  app.decorateRequest(state, undefined)
  app.decorateRequest('site', { getter () { return parseHost(hostOf(this), baseDomain) } })
  app.decorateRequest('account', { getter () { return stateOf(this).account ?? missing() } })
  app.decorateRequest('tenant', { getter () { return stateOf(this).tenant ?? missing() } })
  app.decorateRequest('withTenant', function (work, mode) { return tenancy.withTenant(this.account.id, work, mode) })
  app.decorateRequest('resolveAccount', async function () {
    const account = await directory.resolve(hostOfAccount(this))
    if (!account) throw new AppError('account_not_found')
    return mustBeOpen(account)
  })
  app.decorateRequest('user', function () { return stateOf(this).user ?? missing() })
  app.decorateRequest('refusal', async function () {
    const refusal = takeAdmission(this) ? await stateOf(this).user!.then(() => undefined, (error: unknown) => error) : undefined
    const undone = take(this)?.rollback() // here, since its status need not tell: on a page, who is nobody is answered by a redirect
    if (!isRead(this)) await undone
    return refusal
  })

  app.decorate('tenanted', (scope: FastifyInstance) => {
    scope.addHook('onRoute', route => { route.config = { ...route.config, tenanted: true } })

    // Where there is nothing to wait for, these call back at once: a promise for each would cost more than all that they do.
    scope.addHook('onRequest', (request, reply, done) => {
      reply.headers(privately)
      const own = request[state] = new State()
      const account = directory.known(hostOfAccount(request))
      if (!account) return request.resolveAccount().then(account => { own.account = account })
      own.account = mustBeOpen(account)
      done()
    })

    scope.addHook('preHandler', (request, reply, done) => {
      const own = stateOf(request)
      const { admitFirst } = request.routeOptions.config
      const turnedAway = tenancy.turnedAway(request.account.id)
      if (turnedAway) return turnedAway
      begin(request, isRead(request) || admitFirst ? 'read only' : 'read write')
      own.user = admit(request)
      own.toBeAdmitted = own.user !== undefined
      own.user?.then(() => { own.toBeAdmitted = false }, () => {}) // a refusal is heard by whoever asks, and before the reply leaves
      if (admitFirst) return admittedFirst(request)
      const key = own.user && idempotencyKey(request) // what nobody in particular asks may have a password in it, of which no trace is kept
      if (key === undefined) return done()
      return claimFor(key, request, reply)
    })

    // Before the reply leaves. A write's reply waits for its COMMIT; a read's need not, since there is nothing that it could fail to keep.
    scope.addHook('onSend', (request, reply, payload, done) => {
      if (!isRead(request)) return endWrite(request, reply, payload)
      const endRead = () => {
        end(request, reply)?.catch(error => request.log.warn(error, 'a read could not be committed'))
        done()
      }
      if (takeAdmission(request)) request.user().then(endRead, done)
      else endRead()
    })

    // However a request ends, its transaction does not outlive it.
    scope.addHook('onResponse', (request, _reply, done) => {
      const left = take(request)
      if (stateOf(request).key !== undefined) {
        sweep(request.account.id, work => request.withTenant(work), error => request.log.warn(error, 'old idempotency keys could not be removed'))
      }
      return left ? left.rollback() : done()
    })
  })

  function begin (request: FastifyRequest, mode: Mode): void {
    const own = stateOf(request)
    const { tenant, transaction } = tenancy.begin(request.account.id, mode)
    own.tenant = tenant
    own.transaction = transaction
  }

  async function admittedFirst (request: FastifyRequest): Promise<void> {
    if (takeAdmission(request)) await request.user()
    await take(request)?.commit()
    begin(request, 'read write')
  }

  /** The host, if it is one on which an account may live. @throws {AppError} host_not_served, account_not_found */
  function hostOfAccount ({ site }: FastifyRequest): string {
    if (site.kind === 'bare') throw new AppError('account_not_found')
    return site.host
  }

  /** @returns the reply, if it is on its way: what was answered to the same request before. Not to somebody who may not have it. */
  async function claimFor (key: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    await stateOf(request).user
    if (!await claim(key, request, reply)) return reply
    stateOf(request).key = key
    return undefined
  }

  async function endWrite (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void> {
    if (takeAdmission(request)) await request.user()
    const { key, transaction } = stateOf(request)
    if (key !== undefined && transaction && reply.statusCode < 400) await keep(key, request, reply, payload)
    await end(request, reply)
  }

  function end (request: FastifyRequest, reply: FastifyReply): Promise<void> | undefined {
    const transaction = take(request)
    return reply.statusCode < 400 ? transaction?.commit() : transaction?.rollback()
  }

  /** Whether it is yet to be asked; once only, since the error reply comes this way, too. */
  function takeAdmission (request: FastifyRequest): boolean {
    const own = stateOf(request)
    const { toBeAdmitted } = own
    own.toBeAdmitted = false
    return toBeAdmitted
  }

  /** Once only: onSend runs again for the error reply, should the commit throw. */
  function take (request: FastifyRequest): Transaction | undefined {
    const own = stateOf(request)
    const { transaction } = own
    own.transaction = undefined
    return transaction
  }
}, { name: 'tenant-requests' })

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes every route of this scope, and of those inside it, a tenant's. */
    tenanted (scope: FastifyInstance): void
  }
  interface FastifyContextConfig {
    /** Set on every route of a tenanted scope; 'or bare' where a route sees to its host itself, and the bare domain will do. */
    tenanted?: true | 'or bare'
  }
}

const privately = { 'cache-control': 'private, no-store', vary: 'Cookie' }

function mustBeOpen (account: Account): Account {
  if (account.status !== 'active') throw new AppError('account_suspended')
  return account
}

/** Whether it only reads: then it cannot write, whatever its route does. */
export const isRead = ({ method }: Pick<FastifyRequest, 'method'>) => method === 'GET' || method === 'HEAD'

/** The host as Fastify sees it (a proxy's word counts only if TRUST_PROXY names the proxy), if the request names exactly one. */
function hostOf ({ raw, host }: FastifyRequest): string {
  let named = 0 // counted in a loop, since it is for every request
  for (let i = 0; i < raw.rawHeaders.length; i += 2) if (/^host$/i.test(raw.rawHeaders[i]!)) named++
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(raw.url ?? '')?.[1] // the request line may name one, too
  if (named !== 1 || (absolute !== undefined && absolute !== raw.headers.host)) throw new AppError('host_not_served')
  return host
}

function missing (): never {
  throw new TenantMissingError()
}
