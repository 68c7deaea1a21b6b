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

/** @param url the app role's URL. Two connections, on which no tenant's data is ever read. */
export function createDirectory (url: string, options: PoolOptions = {}) {
  const pool = new SlotPool(url, 2, 2, options)

  const cache = new LRUCache<string, { account: Account | undefined }>({
    max: 10_000,
    ttl: freshness,
    fetchMethod: async host => {
      const [row] = await ask<{ account_id: string } & Omit<Account, 'id'>>('select * from tenancy.resolve($1)', [host])
      return { account: row && { id: accountId(Number(row.account_id)), slug: row.slug, name: row.name, status: row.status } }
    }
  })

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

  /** The account this host leads to, at most five seconds old; undefined if there is none. Unknown hosts are remembered, too. */
  const resolve = async (host: string): Promise<Account | undefined> => (await cache.fetch(host))?.account

  return { ask, undone, resolve, close: () => pool.close(1_000) }
}
