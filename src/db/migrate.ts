// Brings a database up to date, as its owner: the tenancy functions, the generated migrations, the walls. One transaction for the
// hand-written parts, one for the generated ones, and a lock around all, so that two servers starting at once do not collide.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import type { SigningKeys } from '../config.ts'
import { unreachable } from './roles.ts'

const folder = fileURLToPath(new URL('../../drizzle', import.meta.url))
const read = (name: string) => readFile(join(folder, name), 'utf8')

/** What a database that is up to date says of itself: the newest migration, and a hash of the hand-written SQL. */
export async function expectedVersion (): Promise<{ migration: string, walls: string }> {
  const files = await Promise.all(['tenancy.sql', 'tenancy_signed.sql', 'walls.sql'].map(read))
  return {
    migration: readMigrationFiles({ migrationsFolder: folder }).at(-1)!.hash,
    walls: createHash('sha256').update(files.join('')).digest('hex').slice(0, 16)
  }
}

/** @throws {CommandError} if the server cannot be used */
export async function migrateDatabase (ownerUrl: string, signing?: SigningKeys): Promise<void> {
  const sql = postgres(ownerUrl, {
    max: 1, onnotice: () => {}, connect_timeout: 10, connection: { row_security: 'off' } // an owner's silent `UPDATE 0` becomes an error
  })
  try {
    await sql`select pg_advisory_lock(hashtext('rowhouse migrations'))`
  } catch (error) {
    await sql.end()
    throw unreachable('OWNER_DATABASE_URL', error)
  }
  try {
    await sql.begin(async sql => {
      await sql.unsafe(await read('tenancy.sql'))
      if (signing) await installSigning(sql, signing)
    })
    await migrate(drizzle(sql), { migrationsFolder: folder })
    const { walls } = await expectedVersion()
    await sql.begin(async sql => {
      await sql.unsafe(await read('walls.sql'))
      await sql.unsafe(`comment on schema tenancy is 'walls ${walls}'`)
    })
  } finally {
    await sql.end()
  }
}

/** Both pads of each key (RFC 2104), worked out here so that the database need not do it at every check. */
async function installSigning (sql: postgres.TransactionSql, { current, previous }: SigningKeys): Promise<void> {
  await sql.unsafe(await read('tenancy_signed.sql'))
  await sql`delete from tenancy.signing_keys`
  for (const [id, key] of [current, previous].entries()) {
    if (key) await sql`insert into tenancy.signing_keys values (${id + 1}, ${pad(key, 0x36)}, ${pad(key, 0x5c)})`
  }
}

function pad (key: string, byte: number): Buffer {
  const block = Buffer.alloc(64)
  const bytes = Buffer.from(key)
  ;(bytes.length > 64 ? createHash('sha256').update(bytes).digest() : bytes).copy(block)
  return block.map(each => each ^ byte) as Buffer
}
