// The same bytes from memory: what HTTP costs. Each account's first page, read before anybody asks.
import postgres from 'postgres'
import { databaseUrl, serve } from './serve.ts'
import { asking, readListing } from './sql.ts'

const client = postgres(databaseUrl, { max: 1 })
const known = new Map<number, ReturnType<typeof readListing>>()
await serve(client, (account, _hash, page, limit) => {
  const held = known.get(account)
  if (held) return held
  const read = readListing(asking(client), account, page, limit)
  known.set(account, read)
  return read
})
