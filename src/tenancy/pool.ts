// The pool lends a slot to one transaction at a time, and at most half of its slots to one account. Accounts take turns: who asks for
// much waits behind those who ask for little. Nobody waits for more than two seconds.
import { damper } from '../damper.ts'
import { limits } from '../db/limits.ts'
import { AppError, sqlState } from '../errors.ts'
import { Slot, type SlotOptions } from './slot.ts'
import { type Holder, Turns } from './turns.ts'

interface Waiter {
  readonly holder: Holder
  readonly resolve: (slot: Slot) => void
  readonly reject: (error: unknown) => void
  readonly timer: NodeJS.Timeout
}

const maxAge = 30 * 60_000 // a backend's caches grow with time, and a balancer may want the connection elsewhere
const maxWaiting = { ofOne: 100, ofAll: 1_000 } // more could not be served within the deadline anyway
const retryAfter = 200 // ms after a connection could not be opened: a server that is full or starting is not to be hammered

/** Hears of each connection that was opened, or of why it could not be. */
export type OnConnect = (error?: unknown) => void

export interface PoolOptions extends SlotOptions { readonly onConnect?: OnConnect | undefined }

export class SlotPool {
  readonly #url: string
  readonly #max: number
  readonly #share: number
  readonly #options: PoolOptions
  readonly #idle: Slot[] = []
  /** No Map: V8 would not let go of what was in one that changes with each request until it looks at all of its heap. */
  readonly #lent: { slot: Slot, holder: Holder }[] = []
  readonly #waiting = new Turns<Waiter>()
  readonly #damp = damper()
  #opening = 0
  #failedAt = -Infinity
  /** Why the last connection could not be opened; undefined once one could again. */
  #refusal: unknown
  #retry: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined
  #onDrained: (() => void) | undefined

  /**
   * @param max connections at the most
   * @param share how many of them one holder may have; half by default, so that a busy account leaves room for the others
   */
  constructor (url: string, max: number, share = Math.max(1, Math.floor(max / 2)), options: PoolOptions = {}) {
    this.#url = url
    this.#max = max
    this.#share = share
    this.#options = options
  }

  /**
   * A slot for this holder, within two seconds.
   * @throws {AppError} pool_busy, or database_unavailable
   */
  acquire (holder: Holder): Promise<Slot> {
    if (this.#closing) return Promise.reject(new AppError('pool_busy'))
    const turnedAway = this.turnedAway(holder)
    if (turnedAway) return turnedAway
    return new Promise((resolve, reject) => {
      const slot = this.#mayHave(holder) && this.#waiting.of(holder) === 0 ? this.#idle.pop() : undefined
      if (slot) return resolve(this.#lend(slot, holder))
      const timer = setTimeout(() => this.#refuse(waiter, new AppError('pool_busy')), limits.acquire)
      const waiter: Waiter = { holder, resolve, reject, timer }
      this.#waiting.add(waiter)
      this.#serve()
    })
  }

  /**
   * Where too many wait already, what rejects with pool_busy after a moment; otherwise undefined. Whoever asks before beginning anything
   * is refused for the least work: it is many who are.
   */
  turnedAway (holder: Holder): Promise<never> | undefined {
    if (this.#waiting.length < maxWaiting.ofAll && this.#waiting.of(holder) < maxWaiting.ofOne) return undefined
    return this.#damp().then(() => { throw new AppError('pool_busy') })
  }

  /** Takes a slot back. One that died has left by itself. */
  release (slot: Slot): void {
    if (!this.#lent.some(lent => lent.slot === slot)) return
    if (this.#closing || slot.stale || Date.now() - slot.openedAt > maxAge) return slot.destroy('retired')
    this.#takeBack(slot)
    this.#idle.push(slot)
    this.#serve()
  }

  /**
   * Can connections be opened? As far as is known; after one was refused (a changed password, say), by trying. A server that is full
   * but has let us in before will do.
   * @throws {AppError} database_unavailable
   */
  async mustConnect (): Promise<void> {
    if (!this.#refusal || this.#closing) return
    try {
      (await Slot.open(this.#url, () => {}, this.#options)).destroy('only tried')
      this.#hear()
    } catch (error) {
      if (!sqlState(error)?.startsWith('53') || this.#idle.length + this.#lent.length === 0) throw error
    }
  }

  /** Refuses new transactions, waits for the open ones up to `patience` milliseconds, then ends every connection. */
  close (patience: number): Promise<void> {
    this.#closing ??= (async () => {
      this.#refuseAll(new AppError('pool_busy'))
      if (this.#lent.length > 0) {
        await new Promise<void>(resolve => {
          this.#onDrained = resolve
          setTimeout(resolve, patience).unref()
        })
      }
      for (const slot of [...this.#idle, ...this.#lent.map(({ slot }) => slot)]) slot.destroy('closing')
    })()
    return this.#closing
  }

  /** Gives idle slots to those who wait, and opens more for who is left, up to the maximum; but not just after a connection was refused. */
  #serve (): void {
    while (this.#idle.length > 0) {
      const waiter = this.#waiting.next(this.#mayHave)
      if (!waiter) return
      clearTimeout(waiter.timer)
      waiter.resolve(this.#lend(this.#idle.pop()!, waiter.holder))
    }
    if (this.#waiting.length === 0 || this.#connections >= this.#max || this.#wanted <= this.#opening) return
    const pause = this.#failedAt + retryAfter - Date.now()
    if (pause > 0 && !this.#closing) {
      this.#retry ??= setTimeout(() => { this.#retry = undefined; this.#serve() }, pause)
      return
    }
    for (let wanted = this.#wanted; wanted > this.#opening && this.#connections < this.#max;) this.#open()
  }

  readonly #mayHave = (holder: Holder) => this.#room(holder) > 0
  readonly #room = (holder: Holder) => this.#share - this.#lent.filter(lent => lent.holder === holder).length

  #lend (slot: Slot, holder: Holder): Slot {
    this.#lent.push({ slot, holder })
    return slot
  }

  get #connections (): number {
    return this.#idle.length + this.#lent.length + this.#opening
  }

  /** How many connections those who wait could use at once. */
  get #wanted (): number {
    return this.#waiting.usable(this.#room)
  }

  #open (): void {
    this.#opening++
    Slot.open(this.#url, slot => this.#forget(slot), this.#options).then(
      slot => {
        this.#opening--
        this.#hear()
        if (this.#closing) return slot.destroy('closing')
        this.#idle.push(slot)
        this.#serve()
      },
      error => {
        this.#opening--
        this.#failedAt = Date.now()
        this.#hear(error)
        if (this.#lent.length + this.#opening === 0) this.#refuseAll(error) // nobody would come back to serve them
        this.#serve()
      }
    )
  }

  #hear (refusal?: unknown): void {
    this.#refusal = refusal
    this.#options.onConnect?.(refusal)
  }

  /** A slot that dies leaves room for another, even if whoever holds it never gives it back. */
  #forget (slot: Slot): void {
    const at = this.#idle.indexOf(slot)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#takeBack(slot)
    this.#serve()
  }

  #takeBack (slot: Slot): void {
    const at = this.#lent.findIndex(lent => lent.slot === slot)
    if (at < 0) return
    this.#lent.splice(at, 1)
    if (this.#lent.length === 0) this.#onDrained?.()
  }

  #refuse (waiter: Waiter, error: unknown): void {
    this.#waiting.remove(waiter)
    clearTimeout(waiter.timer)
    waiter.reject(error)
  }

  #refuseAll (error: unknown): void {
    for (const waiter of this.#waiting.all()) this.#refuse(waiter, error)
  }
}
