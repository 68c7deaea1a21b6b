// Writes over HTTP, for the tests of faults: what is there so far only reads.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { projects } from '../../src/db/schema.ts'

export async function projectRoutes (app: FastifyInstance) {
  const name = Type.Object({ name: Type.String() }, { additionalProperties: false })

  app.get('/projects', async ({ tenant }) => ({ projects: await tenant.count(projects) }))

  /** A mistake, such as we might make. */
  app.get('/projects/written', async ({ tenant }) => await tenant.insert(projects, { name: 'by a read' }))

  app.post<{ Body: { name: string } }>('/projects', { schema: { body: name } }, async ({ tenant, body }, reply) => {
    const project = await tenant.insert(projects, body)
    return reply.code(201).header('location', `/api/projects/${project.id}`).send({ id: project.id, name: project.name })
  })

  /** Two rows, half a second between them. */
  app.post<{ Body: { name: string } }>('/projects/pair', { schema: { body: name } }, async ({ tenant, body }) => {
    await tenant.insert(projects, body)
    await sleep(500)
    await tenant.insert(projects, body)
    return { name: body.name }
  })
}

/** How to ask for one, with what headers. */
export const posting = (name: string, key?: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
  payload: JSON.stringify({ name })
})
