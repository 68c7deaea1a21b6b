// One transaction of one account on one slot. It opens with its first statement: BEGIN, tenancy.enter and that statement leave in one
// flush, none waiting for another. Should `enter` fail, what follows it runs in an aborted transaction and returns nothing.
import { AppError } from '../errors.ts'
import type { AccountId } from './account.ts'
import type { ContextOf } from './context.ts'
import type { Rows, Slot, SlotPool, Way } from './slots.ts'

export type Mode = 'read only' | 'read write'

export class Transaction {
  readonly account: AccountId
  readonly #mode: Mode
  readonly #pool: SlotPool
  readonly #contextOf: ContextOf
  #opening: Promise<Slot> | undefined
  #slot: Slot | undefined
  #closed = false
  /** The first statement that failed. After it PostgreSQL does nothing more, and a COMMIT would be answered by ROLLBACK. */
  #failure: unknown
  #savepoints = 0

  constructor (pool: SlotPool, contextOf: ContextOf, account: AccountId, mode: Mode) {
    this.#pool = pool
    this.#contextOf = contextOf
    this.account = account
    this.#mode = mode
  }

  /**
   * Runs a query of the slot's drizzle instance in this transaction.
   * @throws {AppError} transaction_closed; pool_busy; what the connection died of; the error of the first statement that failed
   */
  async ask<T> (query: (slot: Slot) => Promise<T>): Promise<T> {
    this.#mustBeUsable()
    const slot = this.#slot ?? await this.#open()
    this.#mustBeUsable() // it may have ended while we waited for the slot
    try {
      return await slot.lend((text, values, way) => this.#send(slot, text, values, way), query)
    } catch (error) {
      throw this.#failure ?? error // the bare error: drizzle's has all parameters in its message
    }
  }

  #mustBeUsable (): void {
    if (this.#closed) throw new AppError('transaction_closed')
    if (this.#failure) throw this.#failure
  }

  #open (): Promise<Slot> {
    this.#opening ??= this.#pool.acquire(this.account).then(slot => {
      this.#slot = slot
      // Not awaited on purpose. Their failure is everybody's: #send keeps it, and every later statement throws it.
      this.#send(slot, `begin ${this.#mode}`, [], 'control').catch(() => {})
      this.#send(slot, 'select tenancy.enter($1)', [this.#contextOf(this.account)], 'arrays').catch(() => {})
      return slot
    }).catch(error => {
      this.#failure ??= error
      throw error
    })
    return this.#opening
  }

  async #send (slot: Slot, text: string, values: unknown[], way: Way): Promise<Rows> {
    if (this.#failure) throw this.#failure
    try {
      return await slot.send(text, values, way)
    } catch (error) {
      this.#failure ??= error
      throw this.#failure
    }
  }

  /**
   * Runs `work` in a part of this transaction that can fail alone: what it did is undone, and the transaction goes on.
   * @throws {AppError} tenant_mismatch if the part is to be another account's
   */
  async nested<T> (account: AccountId, work: () => Promise<T>): Promise<T> {
    if (account !== this.account) throw new AppError('tenant_mismatch')
    const name = `part_${++this.#savepoints}`
    this.#mustBeUsable()
    const slot = await this.#open()
    await this.#send(slot, `savepoint ${name}`, [], 'control')
    try {
      const result = await work()
      await this.#send(slot, `release savepoint ${name}`, [], 'control')
      return result
    } catch (error) {
      if (!slot.dead) {
        await slot.send(`rollback to savepoint ${name}`, [], 'control')
        this.#failure = undefined
      }
      throw error
    }
  }

  /**
   * Ends the transaction and keeps what it did.
   * @throws {AppError} not_committed if a statement failed; commit_unknown if the connection was lost while committing
   */
  async commit (): Promise<void> {
    if (this.#closed) throw new AppError('transaction_closed')
    const slot = await this.#close()
    if (!slot && this.#failure) throw new AppError('not_committed', { cause: this.#failure })
    if (!slot) return
    try {
      if (slot.dead) throw slot.dead
      if (this.#failure) {
        await this.#rollBack(slot)
        throw new AppError('not_committed', { cause: this.#failure })
      }
      const reply = await slot.send('commit', [], 'control').catch(error => {
        throw slot.dead && this.#mode === 'read write' ? new AppError('commit_unknown', { cause: error }) : error
      })
      if (reply.command !== 'COMMIT') throw new AppError('not_committed', { cause: this.#failure ?? `COMMIT was answered by ${reply.command}` })
    } finally {
      this.#pool.release(slot, this.account)
    }
  }

  /** Ends the transaction and undoes what it did. Never throws: a connection that will not roll back is destroyed, which does the same. */
  async rollback (): Promise<void> {
    const slot = await this.#close()
    if (!slot) return
    await this.#rollBack(slot)
    this.#pool.release(slot, this.account)
  }

  async #rollBack (slot: Slot): Promise<void> {
    if (slot.dead) return // PostgreSQL rolls back when a connection ends; after a timeout we would only wait twice
    await slot.send('rollback', [], 'control').catch(cause => slot.destroy(new AppError('connection_lost', { cause })))
  }

  /** No statement may follow. Resolves to the slot, if the transaction ever got one and had not ended before. */
  async #close (): Promise<Slot | undefined> {
    if (this.#closed) return undefined
    this.#closed = true
    return this.#opening?.catch(() => undefined)
  }
}
