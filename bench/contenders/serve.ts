// What the contenders share: the route, its schema, and which account a host leads to. Each contender says how the rows are read.
import fastify from 'fastify'
import type { Sql } from 'postgres'
import { type Static, Type } from 'typebox'
import { hashOf } from '../../src/auth/secrets.ts'
import { listingSchema } from '../../src/routes/subtasks.ts'
import { letOptimise, tuneV8 } from '../../src/v8.ts'

export type Page = Omit<Static<typeof listingSchema>, 'limit'>
export type Row = Page['subtasks'][number]
/** @param hash of the session's secret: whoever asks must be a user */
export type List = (account: number, hash: string, page: number, limit: number) => Promise<Page>

/** Serves GET /api/subtasks on PORT of the loopback address, until it is told to end. */
export async function serve (sql: Sql, list: List): Promise<void> {
  const hosts = new Map<string, number>()
  async function accountOf (host: string): Promise<number> {
    const known = hosts.get(host)
    if (known !== undefined) return known
    const [row] = await sql<{ account: string }[]>`select account_id as account from tenancy.resolve(array[${host}])`
    const account = Number(row!.account)
    hosts.set(host, account)
    return account
  }

  const app = fastify()
  app.get<{ Querystring: { page?: number, limit?: number } }>('/api/subtasks', {
    schema: {
      querystring: Type.Object({ page: Type.Optional(Type.Integer()), limit: Type.Optional(Type.Integer()) }),
      response: { 200: listingSchema }
    }
  }, async ({ hostname, headers: { cookie = '' }, query: { page = 1, limit = 10 } }) => {
    const [, secret = ''] = /session=([\w-]{43})/.exec(cookie) ?? []
    return { ...await list(await accountOf(hostname), hashOf(secret), page, limit), limit }
  })
  await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
  // as Rowhouse does: or who has waited for the others' turns would begin with code that is not optimised, and some of postgres.js never would be
  tuneV8()
  letOptimise((await sql`select 1`).constructor)
  letOptimise(sql.unsafe('').constructor)
  process.once('SIGTERM', () => process.exit())
}

/** As the application sees it: the first page is always there. */
export function listing (page: number, limit: number, total: number, subtasks: readonly Row[]): Page {
  return { page, pages: Math.max(1, Math.ceil(total / limit)), total, more: false, next: null, subtasks: subtasks as Row[] }
}

export const databaseUrl = process.env.BENCH_URL!
