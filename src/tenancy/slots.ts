// The connections. A slot is one client with one socket, one drizzle instance on it and the queries prepared through that. It is
// thrown away when its connection ends: postgres.js would reconnect and go on, and what follows would run outside its transaction.
// The pool lends a slot to one transaction at a time, and at most half of its slots to one account.
import { type Socket, connect } from 'node:net'
import { type PostgresJsDatabase, drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { limits } from '../db/limits.ts'
import { AppError } from '../errors.ts'

export type Db = PostgresJsDatabase
export type Rows = postgres.RowList<postgres.Row[]>

/** How a statement is sent. Only `control` (our own BEGIN, COMMIT, ...) uses the simple protocol, on which statements can be stacked. */
export type Way = 'control' | 'objects' | 'arrays'
export type Send = (text: string, values: unknown[], way: Way) => Promise<Rows>

/** A query that drizzle has built; `values` fill its placeholders. */
export interface Prepared<T> { execute (values: Record<string, unknown>): Promise<T> }

export class Slot {
  /** Why the slot can no longer be used; undefined while it can. */
  dead: AppError | undefined
  /** True once the server no longer knows our prepared statements (a migration ran): to be retired after this transaction. */
  stale = false
  readonly openedAt = Date.now()
  readonly #client: postgres.Sql
  readonly #db: Db
  readonly #prepared = new Map<string, Prepared<unknown>>()
  readonly #preparedOnce = new WeakMap<object, Prepared<unknown>>()
  readonly #onDeath: (slot: Slot) => void
  readonly #owed = new Set<(reason: AppError) => void>()
  #watchdog: NodeJS.Timeout | undefined
  #socket: Socket | undefined
  #holder: Send | undefined

  /** @throws {AppError} database_unavailable */
  static async open (url: string, onDeath: (slot: Slot) => void): Promise<Slot> {
    const slot = new Slot(url, onDeath)
    try {
      await slot.send('select 1', [], 'control')
      return slot
    } catch (error) {
      slot.destroy(new AppError('database_unavailable'))
      throw new AppError('database_unavailable', { cause: error })
    }
  }

  private constructor (url: string, onDeath: (slot: Slot) => void) {
    this.#onDeath = onDeath
    this.#client = postgres(url, {
      max: 1,
      max_lifetime: null,
      fetch_types: false,
      connection: { application_name: 'rowhouse' },
      onnotice: () => {},
      onclose: () => this.destroy(new AppError('connection_lost')),
      socket: (options: { host: string[], port: number[], path?: string }) => this.#connect(options)
    } as postgres.Options<{}>)
    this.#db = drizzle(this.#facade() as postgres.Sql)
  }

  /** The one socket this slot will ever have. Asked for another, postgres.js is refused; so it cannot reconnect. */
  #connect ({ host, port, path }: { host: string[], port: number[], path?: string }): Promise<Socket> {
    return new Promise((resolve, reject) => {
      if (this.#socket) throw new AppError('connection_lost')
      const socket = this.#socket = path ? connect(path) : connect(port[0]!, host[0])
      // these listeners come before postgres.js's own: the slot is dead before anyone who waits for an answer hears of it
      const lost = (cause?: unknown) => { this.destroy(new AppError('connection_lost', { cause })); reject(this.dead) }
      socket.setNoDelay(true).on('error', lost).on('close', () => lost()).once('connect', () => resolve(Object.assign(socket, { host: host[0] })))
    })
  }

  /**
   * Lets the holder's drizzle calls through for the duration of `work`, which must send what it sends before it returns.
   * A query that somebody kept and runs later finds no holder, and so cannot end up in another tenant's transaction.
   */
  lend<T> (send: Send, work: (slot: Slot) => T): T {
    this.#holder = send
    try { return work(this) } finally { this.#holder = undefined }
  }

  /** What drizzle takes for a postgres.js client: the extended protocol only, prepared, and only in somebody's transaction. */
  #facade () {
    return {
      options: this.#client.options,
      unsafe: (text: string, values: unknown[] = []) => {
        const send = this.#holder
        if (!send) throw new AppError('transaction_closed')
        return {
          values: () => send(text, values, 'arrays'),
          then: (...handlers: Parameters<Promise<Rows>['then']>) => send(text, values, 'objects').then(...handlers)
        }
      }
    }
  }

  /** The query under this key, built by drizzle at its first use on this slot. An object as the key is let go with the object. */
  prepare<T> (key: string | object, build: (db: Db) => Prepared<T>): Prepared<T> {
    const known = (typeof key === 'string' ? this.#prepared.get(key) : this.#preparedOnce.get(key)) as Prepared<T> | undefined
    if (known) return known
    const prepared = build(this.#db)
    if (typeof key === 'string') this.#prepared.set(key, prepared)
    else this.#preparedOnce.set(key, prepared)
    return prepared
  }

  /** Sends at once, behind what was sent before, without waiting for it. Rejects with PostgreSQL's error, or with why the slot died. */
  send (text: string, values: unknown[], way: Way): Promise<Rows> {
    if (this.dead) return Promise.reject(this.dead)
    return new Promise((resolve, reject) => {
      this.#owed.add(reject)
      this.#watch()
      const query = way === 'control'
        ? this.#client.unsafe(text)
        : this.#client.unsafe(text, values as never[], { prepare: true, simple: false } as postgres.UnsafeQueryOptions)
      ;(way === 'arrays' ? query.values() : query).then(
        rows => { this.#settle(reject); resolve(rows as Rows) },
        error => { this.#settle(reject); reject(this.#judge(error)) }
      )
    })
  }

  #settle (reject: (reason: AppError) => void): void {
    this.#owed.delete(reject)
    if (this.#owed.size > 0) this.#watch()
  }

  /** A server that owes answers and gives none for too long is taken for lost. */
  #watch (): void {
    if (this.#watchdog) this.#watchdog.refresh()
    else {
      this.#watchdog = setTimeout(() => {
        if (this.#owed.size > 0) this.destroy(new AppError('statement_timeout', { cause: 'no answer from the server' }))
      }, limits.reply).unref()
    }
  }

  /** PostgreSQL's refusals leave the connection usable. Anything else means that it is gone. */
  #judge (error: unknown): unknown {
    if (this.dead) return this.dead
    if (!(error instanceof postgres.PostgresError)) this.destroy(new AppError('connection_lost', { cause: error }))
    else if (error.severity === 'FATAL' || error.severity === 'PANIC') this.destroy(new AppError('connection_lost', { cause: error }))
    else if (error.code === '26000' || error.code === '0A000') this.stale = true
    return this.dead ?? error
  }

  /** Ends the connection now, without a word to the server. Whoever waits for an answer gets the reason. */
  destroy (reason: AppError): void {
    if (this.dead) return
    this.dead = reason
    clearTimeout(this.#watchdog)
    this.#socket?.destroy()
    this.#client.end({ timeout: 0 }).catch(() => {}) // frees what postgres.js holds; it has nobody left to tell
    for (const reject of this.#owed) reject(reason)
    this.#owed.clear()
    this.#onDeath(this)
  }
}

/** Who holds slots: an account, or a door that belongs to none. */
export type Holder = number | string

interface Waiter { holder: Holder, resolve: (slot: Slot) => void, reject: (error: unknown) => void, timer?: NodeJS.Timeout }

const maxAge = 30 * 60_000 // a backend's caches grow with time, and a balancer may want the connection elsewhere

export class SlotPool {
  readonly #url: string
  readonly #max: number
  readonly #share: number
  readonly #idle: Slot[] = []
  readonly #waiting: Waiter[] = []
  readonly #held = new Map<Holder, number>()
  #live = 0
  #opening = 0
  #closed = false
  #onDrained: (() => void) | undefined

  /**
   * @param max connections at the most
   * @param share how many of them one holder may have; half by default, so that a busy account leaves room for the others
   */
  constructor (url: string, max: number, share = Math.max(1, Math.floor(max / 2))) {
    this.#url = url
    this.#max = max
    this.#share = share
  }

  /**
   * A slot for this holder, within two seconds.
   * @throws {AppError} pool_busy, or database_unavailable
   */
  acquire (holder: Holder): Promise<Slot> {
    if (this.#closed) return Promise.reject(new AppError('pool_busy'))
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { holder, resolve, reject }
      this.#waiting.push(waiter)
      this.#serve()
      if (!this.#waiting.includes(waiter)) return
      waiter.timer = setTimeout(() => this.#refuse(waiter, new AppError('pool_busy')), limits.acquire)
    })
  }

  /** Takes a slot back, clean or dead. */
  release (slot: Slot, holder: Holder): void {
    const held = this.#held.get(holder)! - 1
    if (held > 0) this.#held.set(holder, held)
    else this.#held.delete(holder)
    if (!slot.dead && (slot.stale || Date.now() - slot.openedAt > maxAge)) slot.destroy(new AppError('connection_lost', { cause: 'retired' }))
    if (slot.dead) this.#live--
    else this.#idle.push(slot)
    this.#serve()
    if (this.#closed && this.#held.size === 0) this.#onDrained?.()
  }

  /** Refuses new transactions, waits for the open ones up to `patience` milliseconds, then ends every connection. */
  async close (patience: number): Promise<void> {
    this.#closed = true
    for (const waiter of [...this.#waiting]) this.#refuse(waiter, new AppError('pool_busy'))
    if (this.#held.size > 0) {
      await new Promise<void>(resolve => {
        this.#onDrained = resolve
        setTimeout(resolve, patience).unref()
      })
    }
    this.#end()
  }

  #end (): void {
    for (const slot of [...this.#idle]) slot.destroy(new AppError('connection_lost', { cause: 'closing' }))
  }

  /** Gives idle slots to those who wait, first come first served, passing over those that have their share already. */
  #serve (): void {
    let wanted = 0
    for (let i = 0; i < this.#waiting.length;) {
      const waiter = this.#waiting[i]!
      const held = this.#held.get(waiter.holder) ?? 0
      const slot = held < this.#share ? this.#idle.pop() : undefined
      if (slot) {
        this.#waiting.splice(i, 1)
        clearTimeout(waiter.timer)
        this.#held.set(waiter.holder, held + 1)
        waiter.resolve(slot)
      } else {
        if (held < this.#share) wanted++
        i++
      }
    }
    while (wanted > this.#opening && this.#live < this.#max) this.#open()
  }

  #open (): void {
    this.#live++
    this.#opening++
    Slot.open(this.#url, slot => this.#forget(slot)).then(
      slot => {
        this.#opening--
        this.#idle.push(slot)
        if (this.#closed) this.#end()
        this.#serve()
      },
      error => {
        this.#opening--
        this.#live--
        if (this.#waiting[0]) this.#refuse(this.#waiting[0], error)
        this.#serve()
      }
    )
  }

  /** A slot that dies in somebody's hands comes back by release(). */
  #forget (slot: Slot): void {
    const at = this.#idle.indexOf(slot)
    if (at < 0) return
    this.#idle.splice(at, 1)
    this.#live--
  }

  #refuse (waiter: Waiter, error: unknown): void {
    clearTimeout(waiter.timer)
    const at = this.#waiting.indexOf(waiter)
    if (at >= 0) this.#waiting.splice(at, 1)
    waiter.reject(error)
  }
}
