// Who waits for a slot, and whose turn it is: holders come one after the other, however many of their requests wait; and each holder's
// requests in the order in which they came.

/** Who holds slots: an account, or a door that belongs to none. */
export type Holder = number | string

export class Turns<W extends { readonly holder: Holder }> {
  /** In the order in which it is their turn; none of them is empty. */
  readonly #queues = new Map<Holder, W[]>()
  #length = 0

  get length (): number {
    return this.#length
  }

  of (holder: Holder): number {
    return this.#queues.get(holder)?.length ?? 0
  }

  add (waiter: W): void {
    const queue = this.#queues.get(waiter.holder)
    if (queue) queue.push(waiter)
    else this.#queues.set(waiter.holder, [waiter])
    this.#length++
  }

  /** Whose turn it is. A holder that may not have any more is passed over, and keeps its place. */
  next (mayHave: (holder: Holder) => boolean): W | undefined {
    for (const [holder, queue] of this.#queues) {
      if (!mayHave(holder)) continue
      this.#queues.delete(holder)
      if (queue.length > 1) this.#queues.set(holder, queue) // at the end: the others first
      this.#length--
      return queue.shift()
    }
  }

  remove (waiter: W): void {
    const queue = this.#queues.get(waiter.holder)!
    queue.splice(queue.indexOf(waiter), 1)
    if (queue.length === 0) this.#queues.delete(waiter.holder)
    this.#length--
  }

  /** How many slots those who wait could use at once, of as many as each may have more. */
  usable (room: (holder: Holder) => number): number {
    return [...this.#queues].reduce((sum, [holder, queue]) => sum + Math.min(queue.length, room(holder)), 0)
  }

  all (): W[] {
    return [...this.#queues.values()].flat()
  }
}
