// Writes over HTTP for the tests of faults: of projects, as the application has them, and such as it hopefully has not.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { projects } from '../../src/db/schema.ts'

export async function faultRoutes (app: FastifyInstance) {
  /** A mistake, such as we might make. */
  app.get('/faults/written', async ({ tenant }) => await tenant.insert(projects, { name: 'by a read' }))

  /** Two rows, half a second between them. */
  app.post<{ Body: { name: string } }>('/faults/pair', async ({ tenant, body }) => {
    await tenant.insert(projects, body)
    await sleep(500)
    await tenant.insert(projects, body)
    return { name: body.name }
  })
}

/** How to ask for a project, with what headers. */
export const posting = (name: string, key?: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
  payload: JSON.stringify({ name })
})
