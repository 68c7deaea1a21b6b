// A connection, and all that depends on it: one client with one socket, and the statements that the server has prepared for it. It is
// thrown away when its connection ends: postgres.js would reconnect and go on, and what follows would run outside its
// transaction, or in another's.
import { type Socket, connect } from 'node:net'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { addressOf } from '../db/address.ts'
import { limits } from '../db/limits.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import { letOptimise } from '../v8.ts'

export type Rows = postgres.RowList<postgres.Row[]>

/** How a statement is sent. Only `control` (our own BEGIN, COMMIT, ...) uses the simple protocol, on which statements can be stacked. */
export type Way = 'control' | 'objects' | 'arrays'

export interface SlotOptions {
  /** False behind a pooler that does not carry named prepared statements: then each is sent anew, unnamed. True by default. */
  readonly preparedStatements?: boolean
}

/**
 * What the application asks. All else that PostgreSQL can do (SET, DO, LOCK, DECLARE, PREPARE, ...) is a statement of its own, which
 * none of these can contain; so text that got into a query cannot become one, and nothing of it outlives the transaction. A text that was
 * sent before has been looked at.
 */
const question = /^\s*(select|with|insert|update|delete)\b/i

/** Each prepared statement takes memory of the server, and one-off conditions make ever new ones. */
const maxStatements = 500

export class Slot {
  /** Why the slot can no longer be used; undefined while it can. */
  dead: AppError | undefined
  /** To be retired after this transaction: the server keeps too many of our statements, or it was left untidy. */
  stale = false
  readonly openedAt = Date.now()
  readonly #client: postgres.Sql
  /** What it has sent so far, and the server keeps prepared. */
  readonly #texts = new Set<string>()
  readonly #named: boolean
  readonly #onDeath: (slot: Slot) => void
  /** Who waits for an answer of the server. No Set, for the reason that the pool has no Map. */
  readonly #owed: ((reason: AppError) => void)[] = []
  #watchdog: NodeJS.Timeout | undefined
  #socket: Socket | undefined

  /** @throws {AppError} database_unavailable */
  static async open (url: string, onDeath: (slot: Slot) => void, options: SlotOptions = {}): Promise<Slot> {
    const slot = new Slot(url, onDeath, options)
    // Who waits for a slot has gone by then, and whoever comes next must not wait behind an attempt that the network has swallowed.
    const deadline = setTimeout(() => slot.destroy('no answer from the server'), limits.acquire)
    try {
      const rows = await slot.send('select 1', [], 'control')
      letOptimise(rows.constructor)
      return slot
    } catch (error) {
      slot.destroy(error)
      throw new AppError('database_unavailable', { cause: error })
    } finally {
      clearTimeout(deadline)
    }
  }

  private constructor (url: string, onDeath: (slot: Slot) => void, { preparedStatements = true }: SlotOptions) {
    this.#onDeath = onDeath
    this.#named = preparedStatements
    this.#client = postgres(url, {
      ...addressOf(url),
      max: 1,
      max_lifetime: null,
      fetch_types: false,
      connection: { application_name: 'rowhouse' },
      onnotice: () => {},
      onclose: () => this.destroy(),
      socket: (options: { host: string[], port: number[], path?: string }) => this.#connect(options)
    } as postgres.Options<{}>)
    letOptimise(this.#client.unsafe('').constructor)
    drizzle(this.#client) // has it hand on dates as PostgreSQL writes them, as drizzle's columns want them
  }

  /** The one socket this slot will ever have. Asked for another, postgres.js is refused; so it cannot reconnect. */
  #connect ({ host, port, path }: { host: string[], port: number[], path?: string }): Promise<Socket> {
    return new Promise((resolve, reject) => {
      if (this.#socket) throw new AppError('connection_lost')
      const socket = this.#socket = path ? connect(path) : connect(port[0]!, host[0])
      // these listeners come before postgres.js's own: the slot is dead before anyone who waits for an answer hears of it
      const lost = (cause?: unknown) => { this.destroy(cause); reject(this.dead) }
      socket.setNoDelay(true).on('error', lost).on('close', () => lost()).once('connect', () => resolve(Object.assign(socket, { host: host[0] })))
    })
  }

  /** Sends at once, behind what was sent before, without waiting for it. Rejects with PostgreSQL's error, or with why the slot died. */
  send (text: string, values: unknown[], way: Way): Promise<Rows> {
    if (this.dead) return Promise.reject(this.dead)
    if (way !== 'control' && !this.#texts.has(text) && !question.test(text)) return Promise.reject(new AppError('statement_refused'))
    if (!values.every(isPlain)) return Promise.reject(new TypeError('A value of a statement is undefined, or of a kind that cannot be sent.'))
    return new Promise((resolve, reject) => {
      if (!this.owes) this.#watch()
      this.#owed.push(reject)
      if (way !== 'control' && this.#named && this.#texts.add(text).size > maxStatements) this.stale = true
      const query = way === 'control'
        ? this.#client.unsafe(text)
        : this.#client.unsafe(text, values as never[], { prepare: this.#named, simple: false } as postgres.UnsafeQueryOptions)
      ;(way === 'arrays' ? query.values() : query).then(
        rows => { this.#settle(reject); resolve(rows as Rows) },
        error => { this.#settle(reject); reject(this.#judge(error, way)) }
      )
    })
  }

  /** Whether an answer is still to come. */
  get owes (): boolean {
    return this.#owed.length > 0
  }

  #settle (reject: (reason: AppError) => void): void {
    const at = this.#owed.indexOf(reject)
    if (at >= 0) this.#owed.splice(at, 1)
    if (this.owes) this.#watch()
  }

  /** A server that owes answers and gives none for too long is taken for lost. */
  #watch (): void {
    if (this.#watchdog) this.#watchdog.refresh()
    else {
      this.#watchdog = setTimeout(() => {
        if (this.owes) this.destroy('no answer from the server', 'statement_timeout')
      }, limits.reply).unref()
    }
  }

  /** PostgreSQL's refusals leave the connection usable. Anything else means that it is gone. */
  #judge (error: unknown, way: Way): unknown {
    if (this.dead) return this.dead
    if (!(error instanceof postgres.PostgresError) || error.severity === 'FATAL' || error.severity === 'PANIC') this.destroy(error)
    else if (way !== 'control' && isForgotten(error)) this.destroy(error)
    return this.dead ?? error
  }

  /** Undoes the open transaction. Never throws: a connection that will not roll back is destroyed, which does the same. */
  async rollBack (): Promise<void> {
    if (this.dead) return // PostgreSQL rolls back when a connection ends; after a timeout we would only wait twice
    await this.send('rollback', [], 'control').catch(cause => this.destroy(cause))
  }

  /** Ends the connection now. Whoever waits for an answer gets an error with this code. */
  destroy (cause?: unknown, code: ErrorCode = 'connection_lost'): void {
    if (this.dead) return
    const reason = this.dead = new AppError(code, { cause })
    clearTimeout(this.#watchdog)
    // First postgres.js, which has a last word for the server: over TLS, with the socket gone from under it, that would throw. Then
    // the socket, whatever became of that word.
    this.#client.end({ timeout: 0 }).catch(() => {}).finally(() => this.#socket?.destroy())
    for (const reject of this.#owed.splice(0)) reject(reason)
    this.#onDeath(this)
  }
}

/**
 * Whether the server will not take a statement as it was prepared: it knows it no longer, or a migration has changed what it returns.
 * postgres.js has then asked once more, out of turn, and what was sent behind may never be answered.
 */
const isForgotten = ({ code, routine }: postgres.PostgresError) => code === '26000' || routine === 'RevalidateCachedQuery'

/** What postgres.js can send as it is. Anything else would throw inside it, and take the connection for broken. */
function isPlain (value: unknown): boolean {
  if (typeof value === 'object') return value === null || value instanceof Date || value instanceof Uint8Array
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
}
