// Both walls, by hand: no helpers, no drizzle. On the same slots as Rowhouse, everything in one flush.
import postgres from 'postgres'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { databaseUrl, serve } from './serve.ts'
import { type Ask, findUser, readListing } from './sql.ts'

const pool = new SlotPool(databaseUrl, 10)

await serve(postgres(databaseUrl, { max: 1 }), async (account, hash, page, limit) => {
  const slot = await pool.acquire(account)
  const ask: Ask = (text, values) => slot.send(text, values, 'objects')
  slot.send('begin read only', [], 'control')
  ask('select tenancy.enter($1)', [String(account)])
  const finding = findUser(ask, account, hash)
  const reading = readListing(ask, account, page, limit)
  slot.send('commit', [], 'control').then(() => pool.release(slot))
  await finding
  return reading
})
