// Brings a database up to date, as its owner: the tenancy functions, the generated migrations, the walls. One transaction for the
// hand-written parts, one for the generated ones, and a lock around all, so that two servers starting at once do not collide.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import type postgres from 'postgres'
import type { SigningKeys } from '../config.ts'
import { CommandError, sqlState } from '../errors.ts'
import { connect, roleNames, unreachable } from './roles.ts'
import { appendOnlyTables } from './schema.ts'

const folder = fileURLToPath(new URL('.', import.meta.resolve('#drizzle/walls.sql')))
const read = (name: string) => readFile(join(folder, name), 'utf8')

/** What a database that is up to date says of itself: the newest migration, and a hash of the hand-written SQL and what it was told. */
export function expectedVersion (): Promise<Version> {
  version ??= readVersion()
  return version
}

interface Version { readonly migration: string, readonly walls: string }
let version: Promise<Version> | undefined

async function readVersion (): Promise<Version> {
  const files = await Promise.all(['tenancy.sql', 'tenancy_signed.sql', 'walls.sql'].map(read))
  return {
    migration: readMigrationFiles({ migrationsFolder: folder }).at(-1)!.hash,
    walls: createHash('sha256').update([...files, ...appendOnlyTables()].join('')).digest('hex').slice(0, 16)
  }
}

/** The bodies of the functions in the schema tenancy, by name, as the SQL files have them. */
export async function expectedFunctions (signing: SigningKeys | undefined): Promise<Map<string, string>> {
  const files = await Promise.all(['tenancy.sql', ...signing ? ['tenancy_signed.sql'] : [], 'walls.sql'].map(read))
  return new Map(files.flatMap(text => [...text.matchAll(/create or replace function (tenancy\.\w+)[^$]*\$\$(.*?)\$\$/gs)].map(([, name, body]) => [name!, body!])))
}

/** @throws {CommandError} if the server cannot be used */
export async function migrateDatabase (ownerUrl: string, signing?: SigningKeys): Promise<void> {
  const sql = connect(ownerUrl, { row_security: 'off', lock_timeout: 30_000 }) // off: an owner's silent `UPDATE 0` becomes an error
  try {
    await sql`select pg_advisory_lock(hashtext('rowhouse migrations'))`
    if (!signing) await mustNotNeedSigning(sql)
  } catch (error) {
    await sql.end()
    throw error instanceof CommandError ? error : unreachable('OWNER_DATABASE_URL', error)
  }
  try {
    await sql.begin(async sql => {
      await sql.unsafe(await read('tenancy.sql'))
      if (signing) await installSigning(sql, signing)
    })
    await migrateTables(sql)
    const { walls } = await expectedVersion()
    await sql.begin(async sql => {
      await sql.unsafe(`set local rowhouse.append_only = '${appendOnlyTables()}'`)
      await sql.unsafe(await read('walls.sql'))
      await sql.unsafe(`comment on schema tenancy is 'walls ${walls}'`)
    })
  } finally {
    await sql.end()
  }
}

/**
 * The generated migrations, those that are new. Meanwhile the owner is not bound by row-level security: FORCE would refuse every foreign
 * key to a table that has rows, and every backfill. The app role stays bound. walls.sql forces it again; so do we, should one fail.
 * @throws {CommandError} in one line, with PostgreSQL's reason; nothing of the migration that failed is kept
 */
async function migrateTables (sql: postgres.Sql): Promise<void> {
  const [last] = await sql<{ hash: string }[]>`select hash from drizzle.__drizzle_migrations order by created_at desc limit 1`.catch(error => {
    if (sqlState(error) === '42P01' || sqlState(error) === '3F000') return [] // the first time
    throw error
  })
  if (last?.hash === (await expectedVersion()).migration) return
  const forced = await sql<{ name: string }[]>`select oid::regclass::text as name from pg_class where relforcerowsecurity`
  try {
    for (const { name } of forced) await sql.unsafe(`alter table ${name} no force row level security`)
    await migrate(drizzle(sql), { migrationsFolder: folder })
  } catch (error) {
    for (const { name } of forced) await sql.unsafe(`alter table ${name} force row level security`)
    throw new CommandError(`A migration failed, and was undone: ${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message}.`, { cause: error })
  }
}

/** Without signing, and with set_config in everybody's hands, the tenant could be forged. */
async function mustNotNeedSigning (sql: postgres.Sql): Promise<void> {
  const [row] = await sql`
    select has_function_privilege(${roleNames.app}, 'pg_catalog.set_config(text, text, boolean)', 'execute') as open,
           (select prosecdef from pg_proc where pronamespace = to_regnamespace('tenancy') and proname = 'current_account') as signed`
  if (row?.open && row.signed) {
    throw new CommandError('This database takes signed tenant contexts only, and must: its app role may call set_config. Set TENANT_SIGNING=on ' +
      'and the key, or first run npm run db:setup as a superuser, which revokes set_config.')
  }
}

/** Both pads of each key (RFC 2104), worked out here so that the database need not do it at every check. */
async function installSigning (sql: postgres.TransactionSql, { current, previous }: SigningKeys): Promise<void> {
  const rows = [current, previous].flatMap((key, i) => key ? [{ id: i + 1, ...pads(key) }] : [])
  const fingerprint = createHash('sha256').update(Buffer.concat(rows.flatMap(({ inner, outer }) => [inner, outer]))).digest('hex')
  await sql.unsafe((await read('tenancy_signed.sql')).replace(`'${blank}'`, `'${fingerprint}'`))
  await sql`delete from tenancy.signing_keys`
  for (const { id, inner, outer } of rows) await sql`insert into tenancy.signing_keys values (${id}, ${inner}, ${outer})`
}

/** Where a function of tenancy_signed.sql has the fingerprint of the database's keys. */
const blank = 'fingerprint of the keys'

/** A function's body as the SQL files have it, whichever keys the database takes. */
export const withoutFingerprint = (body: string): string => body.replace(/'[0-9a-f]{64}'/, `'${blank}'`)

/** Of HMAC-SHA256: 64 bytes each. */
export const pads = (key: string) => ({ inner: pad(key, 0x36), outer: pad(key, 0x5c) })

function pad (key: string, byte: number): Buffer {
  const block = Buffer.alloc(64)
  const bytes = Buffer.from(key)
  ;(bytes.length > 64 ? createHash('sha256').update(bytes).digest() : bytes).copy(block)
  return block.map(each => each ^ byte) as Buffer
}
