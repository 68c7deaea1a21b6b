// No transaction, no tenant, and a role that row-level security does not bind: what is left is a filter that nobody checks.
import postgres from 'postgres'
import { planning } from '../../src/db/roles.ts'
import { databaseUrl, serve } from './serve.ts'
import { asking, findUser, readListing } from './sql.ts'

const client = postgres(databaseUrl, { max: 10, connection: planning }) // as the app role has it
const ask = asking(client)
await serve(client, async (account, hash, page, limit) => {
  const [, listing] = await Promise.all([findUser(ask, account, hash), readListing(ask, account, page, limit)])
  return listing
})
