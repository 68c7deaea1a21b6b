// Both walls, by hand: no helpers, no drizzle. One client for each connection, everything in one flush.
import postgres, { type Sql } from 'postgres'
import { databaseUrl, serve } from './serve.ts'
import { readListing } from './sql.ts'

const slots: Sql[] = Array.from({ length: 10 }, () => postgres(databaseUrl, { max: 1, fetch_types: false }))
const idle = [...slots]
const waiting: ((slot: Sql) => void)[] = []
const release = (slot: Sql) => { const next = waiting.shift(); if (next) next(slot); else idle.push(slot) }
const variant = process.env.VARIANT ?? '1'
await serve(slots[0]!, async (account, page, limit) => {
  const slot = idle.pop() ?? await new Promise<Sql>(resolve => waiting.push(resolve))
  if (variant === '1') { // BEGIN, enter apart; COMMIT in the same flush
    slot.unsafe('begin read only').execute()
    slot.unsafe('select tenancy.enter($1)', [String(account)], { prepare: true }).execute()
    const reading = readListing(slot, account, page, limit)
    slot.unsafe('commit').execute().then(() => release(slot))
    return reading
  }
  if (variant === '2') { // BEGIN, enter apart; COMMIT afterwards
    slot.unsafe('begin read only').execute()
    slot.unsafe('select tenancy.enter($1)', [String(account)], { prepare: true }).execute()
    const listing = await readListing(slot, account, page, limit)
    slot.unsafe('commit').execute().then(() => release(slot))
    return listing
  }
  if (variant === '3') { // one message
    slot.unsafe(`begin read only; select tenancy.enter('${account}')`).execute()
    const reading = readListing(slot, account, page, limit)
    slot.unsafe('commit').execute().then(() => release(slot))
    return reading
  }
  // one message, COMMIT afterwards
  slot.unsafe(`begin read only; select tenancy.enter('${account}')`).execute()
  const listing = await readListing(slot, account, page, limit)
  slot.unsafe('commit').execute().then(() => release(slot))
  return listing
})
