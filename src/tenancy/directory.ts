// The second door to the database: questions that belong to no tenant. Which account does a host lead to, and is the database what we expect?
import { LRUCache } from 'lru-cache'
import { type AccountId, accountId } from './account.ts'
import { type PoolOptions, SlotPool } from './pool.ts'

export interface Account {
  readonly id: AccountId
  readonly slug: string
  readonly name: string
  readonly status: 'active' | 'suspended'
}

/** Runs one statement. `text` is a constant of this program; what varies is in `values`. */
export type Ask = <T>(text: string, values?: unknown[]) => Promise<T[]>

export interface Undone {
  readonly ask: Ask
  /** The same, undone at once; whatever it threw, the next one finds the transaction as it was. */
  readonly attempt: Ask
}

export type Directory = ReturnType<typeof createDirectory>

const freshness = 5_000 // ms: how soon a suspension or a new host takes effect everywhere
const refreshEvery = 4_000 // ms: the rest is for looking up many of them
const inUse = 60_000 // ms for which a host that was asked for is looked up again with the others
const together = 500 // hosts that are looked up by one statement

/** What the database said of a host. */
interface Entry {
  account: Account | undefined
  saidAt: number
  askedAt: number
}

/** @param url the app role's URL. Two connections, on which no tenant's data is ever read. */
export function createDirectory (url: string, options: PoolOptions = {}) {
  const pool = new SlotPool(url, 2, 2, options)

  const entries = new LRUCache<string, Entry>({ max: 10_000 })
  const underWay = new Map<string, Promise<void>>()
  let refreshedAt = Date.now()

  /** By itself. */
  const ask: Ask = async <T>(text: string, values: unknown[] = []) => {
    const slot = await pool.acquire('directory')
    try {
      return await slot.send(text, values, 'objects') as unknown as T[]
    } finally {
      pool.release(slot)
    }
  }

  /** Runs statements in one transaction that is undone: for looking at what the database would do. */
  async function undone<T> (work: (inside: Undone) => Promise<T>): Promise<T> {
    const slot = await pool.acquire('directory')
    const ask: Ask = async <R>(text: string, values: unknown[] = []) => await slot.send(text, values, 'objects') as unknown as R[]
    const attempt: Ask = async (text, values) => {
      const [, reply] = await Promise.all([
        slot.send('savepoint attempt', [], 'control'),
        ask<never>(text, values).then(rows => ({ rows }), (error: unknown) => ({ error })),
        slot.send('rollback to savepoint attempt', [], 'control')
      ])
      if ('error' in reply) throw reply.error
      return reply.rows
    }
    try {
      await slot.send('begin', [], 'control')
      return await work({ ask, attempt })
    } finally {
      await slot.rollBack()
      pool.release(slot)
    }
  }

  /** For many who ask at once, a host is looked up once. */
  function lookUp (hosts: string[]): Promise<void> {
    const looking = askFor(hosts).finally(() => { for (const host of hosts) underWay.delete(host) })
    for (const host of hosts) underWay.set(host, looking)
    return looking
  }

  /** Asks the database, and remembers what it says. */
  async function askFor (hosts: string[]): Promise<void> {
    const saidAt = Date.now()
    const rows = await ask<{ host: string, account_id: string } & Omit<Account, 'id'>>(
      'select * from tenancy.resolve(array(select json_array_elements_text($1::json)))', [JSON.stringify(hosts)])
    const found = new Map(rows.map(({ host, account_id: id, slug, name, status }) => [host, { id: accountId(Number(id)), slug, name, status }]))
    for (const host of hosts) {
      const account = found.get(host)
      const entry = entries.peek(host) // whoever has not been asked for the longest stays the first to go
      if (!entry) entries.set(host, { account, saidAt, askedAt: saidAt })
      else {
        entry.account = account
        entry.saidAt = saidAt
      }
    }
  }

  /** Looks up what is in use before it is stale, many at a time: of requests for two thousand accounts, one in two would wait for its host. */
  async function refresh (): Promise<void> {
    refreshedAt = Date.now()
    const hosts = [...entries].filter(([, { account, askedAt }]) => account && refreshedAt - askedAt < inUse).map(([host]) => host)
    for (let i = 0; i < hosts.length; i += together) {
      await lookUp(hosts.slice(i, i + together))
    }
  }

  /** What the database has said of this host lately. */
  function fresh (host: string): Entry | undefined {
    const now = Date.now()
    if (now - refreshedAt > refreshEvery) refresh().catch(() => {}) // then they grow stale, and whoever asks hears of it
    const entry = entries.get(host)
    if (!entry || now - entry.saidAt > freshness) return undefined
    entry.askedAt = now
    return entry
  }

  /** What is remembered of the account that this host leads to; undefined if that is nothing, or that there is none. */
  const known = (host: string): Account | undefined => fresh(host)?.account

  /** The account this host leads to, at most five seconds old; undefined if there is none. Unknown hosts are remembered, too. */
  async function resolve (host: string): Promise<Account | undefined> {
    const entry = fresh(host)
    if (entry) return entry.account
    await (underWay.get(host) ?? lookUp([host]))
    return entries.get(host)?.account
  }

  return { ask, undone, known, resolve, close: () => pool.close(1_000) }
}
