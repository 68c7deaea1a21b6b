// A tenanted request: host -> account -> transaction -> reply -> commit. The transaction opens with the first query: a request that asks
// the database nothing takes no connection. The scope that calls tenanted() and whatever is registered inside it has these hooks; a
// route outside has no tenant, and asking for one there throws.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { AppError, TenantMissingError } from '../errors.ts'
import type { Account, Directory } from './directory.ts'
import { type Host, parseHost } from './host.ts'
import { claim, idempotencyKey, keep, oldKeys } from './idempotency.ts'
import type { Tenant } from './scope.ts'
import type { Tenancy } from './tenancy.ts'
import type { Transaction } from './transaction.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Which part of us the request means. @throws {AppError} host_not_served, account_not_found */
    readonly site: Host
    /** The account whose host this is. @throws {TenantMissingError} outside a tenanted scope */
    readonly account: Account
    /** The account's rows, in this request's transaction. @throws {TenantMissingError} outside a tenanted scope */
    readonly tenant: Tenant
    /** Finds the account whose host this is. @throws {AppError} account_not_found, account_suspended */
    resolveAccount (): Promise<Account>
  }
}

interface State {
  account?: Account
  tenant?: Tenant
  transaction?: Transaction | undefined
  /** The Idempotency-Key under which the reply is to be kept. */
  key?: string
}

export interface TenantRequestOptions { readonly tenancy: Tenancy, readonly directory: Directory, readonly baseDomain: string }

/** Gives every request its tenancy properties, and the instance `tenanted(scope)`, which makes a scope tenanted. */
export const tenantRequests = fastifyPlugin(async (app: FastifyInstance, { tenancy, directory, baseDomain }: TenantRequestOptions) => {
  const states = new WeakMap<FastifyRequest, State>()
  const sweep = oldKeys(tenancy)
  const stateOf = (request: FastifyRequest): State => states.get(request) ?? {}

  app.decorateRequest('site', { getter () { return parseHost(hostOf(this), baseDomain) } })
  app.decorateRequest('account', { getter () { return stateOf(this).account ?? missing() } })
  app.decorateRequest('tenant', { getter () { return stateOf(this).tenant ?? missing() } })
  app.decorateRequest('resolveAccount', async function () {
    const { site } = this
    const account = site.kind === 'account' ? await directory.resolve(site.host) : undefined
    if (!account) throw new AppError('account_not_found')
    if (account.status !== 'active') throw new AppError('account_suspended')
    return account
  })

  app.decorate('tenanted', (scope: FastifyInstance) => {
    scope.addHook('onRoute', route => { route.config = { ...route.config, tenanted: true } })

    scope.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'private, no-store').header('vary', 'Cookie')
      states.set(request, { account: await request.resolveAccount() })
    })

    scope.addHook('preHandler', async (request, reply) => {
      const state = stateOf(request)
      const key = idempotencyKey(request)
      Object.assign(state, tenancy.begin(request.account.id, isRead(request) ? 'read only' : 'read write'))
      if (key === undefined) return
      if (!await claim(key, request, reply)) return reply
      state.key = key
    })

    // Before the reply leaves. A write's reply waits for its COMMIT; a read's need not, since there is nothing that it could fail to keep.
    scope.addHook('onSend', async (request, reply, payload) => {
      const { key, transaction: open } = stateOf(request)
      if (key !== undefined && open && reply.statusCode < 400) await keep(key, request, reply, payload)
      const transaction = take(request)
      if (!transaction) return
      const ended = reply.statusCode < 400 ? transaction.commit() : transaction.rollback()
      if (isRead(request)) ended.catch(error => request.log.warn(error, 'a read could not be committed'))
      else await ended
    })

    // However a request ends, its transaction does not outlive it.
    scope.addHook('onResponse', async request => {
      await take(request)?.rollback()
      if (stateOf(request).key !== undefined) sweep(request.account.id, error => request.log.warn(error, 'old idempotency keys could not be removed'))
    })
    scope.addHook('onTimeout', async request => { await take(request)?.rollback() })
  })

  /** Once only: onSend runs again for the error reply, should the commit throw. */
  function take (request: FastifyRequest): Transaction | undefined {
    const state = stateOf(request)
    const { transaction } = state
    state.transaction = undefined
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

const isRead = (request: FastifyRequest) => request.method === 'GET' || request.method === 'HEAD'

/** The host as Fastify sees it (a proxy's word counts only if TRUST_PROXY names the proxy), if the request names exactly one. */
function hostOf ({ raw, host }: FastifyRequest): string {
  const named = raw.rawHeaders.filter((_, i) => raw.rawHeaders[i - i % 2]!.toLowerCase() === 'host')
  const [, absolute] = /^https?:\/\/([^/?#]*)/i.exec(raw.url ?? '') ?? [] // the request line may name one, too
  if (named.length !== 2 || (absolute !== undefined && absolute !== named[1])) throw new AppError('host_not_served')
  return host
}

function missing (): never {
  throw new TenantMissingError()
}
