// Both walls, by hand: no helpers, no drizzle. One client for each connection, everything in one flush.
import postgres, { type Sql } from 'postgres'
import { databaseUrl, serve } from './serve.ts'
import { findUser, readListing } from './sql.ts'

const slots: Sql[] = Array.from({ length: 10 }, () => postgres(databaseUrl, { max: 1, fetch_types: false }))
const idle = [...slots]
const waiting: ((slot: Sql) => void)[] = []
const release = (slot: Sql) => { const next = waiting.shift(); if (next) next(slot); else idle.push(slot) }

await serve(slots[0]!, async (account, hash, page, limit) => {
  const slot = idle.pop() ?? await new Promise<Sql>(resolve => waiting.push(resolve))
  slot.unsafe('begin read only').execute()
  slot.unsafe('select tenancy.enter($1)', [String(account)], { prepare: true }).execute()
  const finding = findUser(slot, account, hash)
  const reading = readListing(slot, account, page, limit)
  slot.unsafe('commit').execute().then(() => release(slot))
  await finding
  return reading
})
