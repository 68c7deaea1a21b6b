// No transaction, no tenant, and a role that row-level security does not bind: what is left is a filter that nobody checks.
import postgres from 'postgres'
import { databaseUrl, serve } from './serve.ts'
import { asking, findUser, readListing } from './sql.ts'

const client = postgres(databaseUrl, { max: 10, connection: { plan_cache_mode: 'force_generic_plan', random_page_cost: 1.1 } }) // as the app role has it
const ask = asking(client)
await serve(client, async (account, hash, page, limit) => {
  const [, listing] = await Promise.all([findUser(ask, account, hash), readListing(ask, account, page, limit)])
  return listing
})
