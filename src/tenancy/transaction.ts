// One transaction of one account on one slot. It opens with its first statement: BEGIN, tenancy.enter and that statement leave in one
// flush, none waiting for another. Should `enter` fail, what follows it runs in an aborted transaction and returns nothing.
//
// To read only, it is one transaction for each flush: COMMIT leaves behind what was asked together, and the slot is free as soon as it is
// answered, whatever the asker then does with the rows. What is asked later opens the next one. Nothing is lost by it: each statement of a
// READ COMMITTED transaction sees a state of its own anyway.
import { AppError, sqlState } from '../errors.ts'
import type { AccountId } from './account.ts'
import type { ContextOf } from './context.ts'
import type { SlotPool } from './pool.ts'
import type { Rows, Slot, Way } from './slot.ts'

export type Mode = 'read only' | 'read write'

/** The whole transaction, or a part of it that can fail alone (a savepoint). Only the innermost open one may speak. */
export type Part = symbol

const done = Promise.resolve()

export class Transaction {
  readonly whole: Part = Symbol('whole')
  readonly #account: AccountId
  readonly #mode: Mode
  readonly #pool: SlotPool
  readonly #contextOf: ContextOf
  readonly #tidying: string
  #speaking: Part = this.whole
  #opening: Promise<Slot> | undefined
  #slot: Slot | undefined
  #closed = false
  #endsSoon = false
  /** Calls that wait for the slot, and so have sent nothing yet. */
  #unsent = 0
  /** The first statement that failed. After it PostgreSQL does nothing more, and a COMMIT would be answered by ROLLBACK. */
  #failure: unknown

  /** @param tidying what is sent with BEGIN, to undo what an earlier transaction may have left in the session */
  constructor (pool: SlotPool, contextOf: ContextOf, account: AccountId, mode: Mode, tidying = '') {
    this.#pool = pool
    this.#contextOf = contextOf
    this.#account = account
    this.#mode = mode
    this.#tidying = tidying
  }

  get account (): AccountId {
    return this.#account
  }

  /**
   * Asks in this transaction.
   * @throws {AppError} transaction_closed; part_open; pool_busy; what the connection died of; the first statement's error that failed
   */
  async ask (part: Part, text: string, values: unknown[], way: Way = 'arrays'): Promise<Rows> {
    this.#mustBeUsable(part)
    const slot = this.#slot ?? await this.#opened()
    this.#mustBeUsable(part) // it may have ended while we waited for the slot
    const answer = slot.send(text, values, way)
    this.#endSoon()
    let rows: Rows
    try {
      rows = await answer
    } catch (error) {
      throw this.#fail(slot, text, error)
    }
    if (this.#failure) throw this.#failure // BEGIN's: what followed it in the same flush ran without a tenant, and found nothing
    return rows
  }

  /** Ends a transaction that only reads behind what is being asked now, unless a part of it is open. */
  #endSoon (): void {
    if (this.#mode !== 'read only' || this.#endsSoon) return
    this.#endsSoon = true
    process.nextTick(() => { // after every call that waited for the same slot, and before anything leaves
      this.#endsSoon = false
      if (this.#speaking !== this.whole) return
      const slot = this.#letGo()
      slot?.send('commit', [], 'control').then(() => {
        // What was asked before has been answered before, unless postgres.js is asking it again: outside of any transaction, it would find nothing.
        if (slot.owes) slot.destroy('a statement is to be prepared anew')
        this.#pool.release(slot)
      }, cause => slot.destroy(cause))
    })
  }

  /** The slot, if there is one; this transaction no longer has it. */
  #letGo (): Slot | undefined {
    const slot = this.#slot
    this.#slot = this.#opening = undefined
    return slot
  }

  #mustBeUsable (part: Part): void {
    if (this.#closed) throw new AppError('transaction_closed')
    if (part !== this.#speaking) throw new AppError('part_open')
    if (this.#failure) throw this.#failure
  }

  async #opened (): Promise<Slot> {
    this.#unsent++
    try {
      return await (this.#opening ??= this.#open())
    } catch (error) {
      this.#failure ??= error
      throw error
    } finally {
      this.#unsent--
    }
  }

  async #open (): Promise<Slot> {
    const slot = this.#slot = await this.#pool.acquire(this.#account)
    // Not awaited on purpose. Their failure is everybody's: it is kept, and every later statement throws it.
    const begin = `begin ${this.#mode}${this.#tidying}`
    slot.send(begin, [], 'control').catch(error => this.#fail(slot, begin, error))
    const enter = 'select tenancy.enter($1)'
    slot.send(enter, [this.#contextOf(this.#account)], 'arrays').catch(error => {
      slot.stale = true // whoever left it so that no tenant can enter must not do it to the next one
      this.#fail(slot, enter, error)
    })
    return slot
  }

  /** Keeps why a statement failed, unless an earlier one did. @returns why the transaction did */
  #fail (slot: Slot, text: string, error: unknown): unknown {
    // Aborted, by a statement whose error we have not heard: postgres.js is preparing that one again, out of turn, and the server
    // would pass over a ROLLBACK sent meanwhile.
    if (!this.#failure && sqlState(error) === '25P02') slot.destroy(error)
    if (this.#isReadOnly(error, text)) slot.destroy(error, 'database_unavailable')
    this.#failure ??= slot.dead ?? error
    return this.#failure
  }

  /**
   * A server that has become a standby refuses our BEGIN READ WRITE, and one that only reads, our writes. The next connection may reach
   * the new primary. In a transaction that was to read only, a refused write is our own mistake.
   */
  #isReadOnly (error: unknown, text: string): boolean {
    const state = sqlState(error)
    return this.#mode === 'read write' && (state === '25006' || (state === '0A000' && text.startsWith('begin')))
  }

  /**
   * Runs `work` in a part of this transaction that can fail alone: what it did is undone, and the transaction goes on. Meanwhile only
   * the part may speak, since what others did between its beginning and its end would be undone with it.
   * @throws {AppError} tenant_mismatch if the part is to be another account's; part_open if another part is open
   */
  async nested<T> (part: Part, account: AccountId, work: (part: Part) => Promise<T>): Promise<T> {
    if (account !== this.#account) throw new AppError('tenant_mismatch')
    this.#mustBeUsable(part)
    const inner = this.#speaking = Symbol('part')
    try {
      const slot = this.#slot ?? await this.#opened()
      await this.ask(inner, 'savepoint part', [], 'control')
      try {
        const result = await work(inner)
        await this.ask(inner, 'release savepoint part', [], 'control')
        return result
      } catch (error) {
        if (this.#slot === slot && !slot.dead) { // a transaction that has ended has undone it, and the slot is another's
          const undone = slot.send('rollback to savepoint part', [], 'control')
          await Promise.all([undone, slot.send('release savepoint part', [], 'control')]) // the name may be in use further out
          this.#failure = undefined
        }
        throw error
      }
    } finally {
      this.#speaking = part
      this.#endSoon()
    }
  }

  /**
   * Ends the transaction and keeps what it did.
   * @throws {AppError} not_committed if a statement failed or was not awaited; commit_unknown if the connection was lost while committing
   */
  commit (): Promise<void> {
    if (this.#closed || this.#failure || this.#opening || this.#speaking !== this.whole) return this.#end()
    this.#closed = true // nothing was asked; or it only read, and ends by itself
    return done
  }

  async #end (): Promise<void> {
    if (this.#closed) throw new AppError('transaction_closed')
    const forgotten = this.#unsent > 0 || this.#speaking !== this.whole
    const slot = await this.#close()
    const failure = this.#failure ?? (forgotten && new Error('a call of this transaction was not awaited'))
    if (!slot && failure) throw new AppError('not_committed', { cause: failure })
    if (!slot) return
    try {
      if (slot.dead) throw slot.dead
      if (failure) {
        await slot.rollBack()
        throw new AppError('not_committed', { cause: failure })
      }
      const reply = await slot.send('commit', [], 'control').catch(cause => {
        slot.destroy(cause) // in what state an unsuccessful COMMIT leaves it, we cannot know
        throw this.#mode === 'read write' ? new AppError('commit_unknown', { cause }) : cause
      })
      if (reply.command !== 'COMMIT') throw new AppError('not_committed', { cause: this.#failure ?? `COMMIT was answered by ${reply.command}` })
    } finally {
      this.#pool.release(slot)
    }
  }

  /** Ends the transaction and undoes what it did. Never throws. */
  async rollback (): Promise<void> {
    const slot = await this.#close()
    if (!slot) return
    await slot.rollBack()
    this.#pool.release(slot)
  }

  /** No statement may follow. Resolves to the slot, if the transaction ever got one and had not ended before. */
  async #close (): Promise<Slot | undefined> {
    if (this.#closed) return undefined
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    return this.#letGo()
  }
}
