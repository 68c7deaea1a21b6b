// The second door to the database: questions that belong to no tenant. Which account does a host lead to, and is the database what we expect?
import { LRUCache } from 'lru-cache'
import { sqlState } from '../errors.ts'
import { type AccountId, accountId } from './account.ts'
import { type OnConnect, SlotPool } from './pool.ts'

export interface Account {
  readonly id: AccountId
  readonly slug: string
  readonly name: string
  readonly status: 'active' | 'suspended'
}

export type Directory = ReturnType<typeof createDirectory>

const freshness = 5_000 // ms: how soon a suspension or a new host takes effect everywhere

/** @param url the app role's URL. Two connections, on which no tenant's data is ever read. */
export function createDirectory (url: string, onConnect?: OnConnect) {
  const pool = new SlotPool(url, 2, 2, onConnect)

  const cache = new LRUCache<string, { account: Account | undefined }>({
    max: 10_000,
    ttl: freshness,
    fetchMethod: async host => {
      const [row] = await ask<{ account_id: string } & Omit<Account, 'id'>>('select * from tenancy.resolve($1)', [host])
      return { account: row && { id: accountId(Number(row.account_id)), slug: row.slug, name: row.name, status: row.status } }
    }
  })

  /** Runs one statement of ours, by itself. `text` is a constant of this program; what varies is in `values`. */
  async function ask<T> (text: string, values: unknown[] = []): Promise<T[]> {
    const slot = await pool.acquire('directory')
    try {
      return await slot.send(text, values, 'objects') as unknown as T[]
    } finally {
      pool.release(slot)
    }
  }

  /** Does the database take this tenant context for an account's? Asked in a transaction, which is undone. */
  async function accepts (context: string): Promise<boolean> {
    const slot = await pool.acquire('directory')
    try {
      await slot.send('begin read only', [], 'control')
      await slot.send('select tenancy.enter($1)', [context], 'objects')
      const [row] = await slot.send('select tenancy.current_account() as account', [], 'objects')
      return row?.account !== null
    } catch (error) {
      if (sqlState(error) !== '42501') throw error
      return false
    } finally {
      await slot.rollBack()
      pool.release(slot)
    }
  }

  /** The account this host leads to, at most five seconds old; undefined if there is none. Unknown hosts are remembered, too. */
  const resolve = async (host: string): Promise<Account | undefined> => (await cache.fetch(host))?.account

  return { ask, accepts, resolve, close: () => pool.close(1_000) }
}
