// Requests that stop in the middle of their transaction, until the test lets them go on.
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { projects } from '../../src/db/schema.ts'

export class Gate {
  /** How many stand before it. */
  waiting = 0
  readonly #said = new EventEmitter()

  async pass (): Promise<void> {
    this.waiting++
    await once(this.#said, 'open')
    this.waiting--
  }

  /** Lets all go on who wait, and stops the next ones. */
  open (): void {
    this.#said.emit('open')
  }

  /** Resolves once so many wait. @throws {Error} if they do not come */
  async holds (n: number): Promise<void> {
    for (let i = 0; i < 500 && this.waiting < n; i++) await sleep(10)
    if (this.waiting !== n) throw new Error(`${this.waiting} wait at the gate, not ${n}`)
  }
}

/** Two rows, the gate between them. */
export const gatedRoutes = (gate: Gate) => async (app: FastifyInstance) => {
  app.post<{ Body: { name: string } }>('/faults/gated', async ({ tenant, body: { name } }) => {
    await tenant.insert(projects, { name })
    await gate.pass()
    await tenant.insert(projects, { name })
    return { name }
  })
}
