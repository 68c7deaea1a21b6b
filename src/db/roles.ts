// Roles and database, on any server. Idempotent: it creates what is missing and puts right what is there.
//
//   rowhouse_owner   owns the schema and migrates it; under FORCE it sees no tenant's rows
//   rowhouse_app     serves requests: bound by row-level security, owns nothing, may select, insert, update, delete
import postgres from 'postgres'
import { CommandError, sqlState } from '../errors.ts'
import { addressOf } from './address.ts'
import { limits } from './limits.ts'

export const roleNames = { owner: 'rowhouse_owner', app: 'rowhouse_app' } as const

export interface SetUp {
  /** The server, as a superuser or a role with CREATEROLE and CREATEDB. */
  readonly adminUrl: string
  readonly database: string
  readonly passwords: { readonly owner: string, readonly app: string }
}

export interface SetUpResult {
  /** False where set_config cannot be revoked (it takes a superuser): there the tenant context must be signed. */
  readonly setConfigRevoked: boolean
}

/** @throws {CommandError} if the server cannot be reached or the role has too few rights */
export async function setUpDatabase ({ adminUrl, database, passwords }: SetUp): Promise<SetUpResult> {
  const server = connect(adminUrl)
  try {
    const [me] = await server`select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user`
    if (!me?.rolsuper && !(me?.rolcreaterole && me.rolcreatedb)) {
      throw new CommandError('ADMIN_DATABASE_URL names a role with too few rights: it takes a superuser, or CREATEROLE and CREATEDB.')
    }
    await createRole(server, roleNames.owner, passwords.owner)
    await createRole(server, roleNames.app, passwords.app)
    if (!me.rolsuper) await server.unsafe(`grant ${roleNames.owner} to current_user`) // to give it the database
    await limitAppRole(server)
    const [present] = await server`select from pg_database where datname = ${database}`
    if (!present) await server`create database ${server(database)} owner ${server(roleNames.owner)} encoding 'UTF8' template template0`
  } catch (error) {
    throw explain(error)
  } finally {
    await server.end()
  }

  const inside = connect(withDatabaseName(adminUrl, database))
  try {
    return await lockDown(inside, database)
  } catch (error) {
    throw explain(error)
  } finally {
    await inside.end()
  }
}

/** One connection, as a command needs it. @param connection settings of the session */
export const connect = (url: string, connection: Record<string, string | number> = {}, onclose?: () => void) =>
  postgres(url, { ...addressOf(url), max: 1, onnotice: () => {}, connect_timeout: 10, prepare: false, connection, ...onclose && { onclose } })

async function createRole (server: postgres.Sql, name: string, password: string): Promise<void> {
  const [role] = await server`select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as mighty from pg_roles where rolname = ${name}`
  if (role?.mighty) throw new CommandError(`The role ${name} exists with rights that would void the walls. Take away SUPERUSER, BYPASSRLS, CREATEROLE, CREATEDB and REPLICATION.`)
  const verb = role ? 'alter' : 'create'
  const [statement] = await server`select format(${`${verb} role %I login password %L`}::text, ${name}::text, ${password}::text) as text`
  await server.unsafe(statement!.text)
}

/** How PostgreSQL is to plan what the application asks. */
export const planning = {
  // A statement is planned once for each connection. For whom makes no difference: each is for one account, by the same indexes.
  // PostgreSQL would plan the page of a listing anew each time, which takes it longer than the page (0.7 ms and 0.3, measured).
  plan_cache_mode: 'force_generic_plan',
  // What a page away from the last one costs where nothing turns. At PostgreSQL's 4, of a disk, it reads all of a table of two hundred accounts
  // for each row of a listing, rather than ask the index: 0.79 ms of its time instead of 0.61 (measured).
  random_page_cost: 1.1
}

/** What ALTER ROLE sets for the app role. @param version PostgreSQL's, as a number (180004) */
export const appRoleSettings = (version: number): Record<string, string | number> => ({
  statement_timeout: limits.statement,
  idle_in_transaction_session_timeout: limits.idleInTransaction,
  lock_timeout: limits.lock,
  client_connection_check_interval: limits.connectionCheck,
  ...(version >= 170000 && { transaction_timeout: limits.transaction }),
  ...planning,
  search_path: 'public',
  TimeZone: 'UTC'
})

async function limitAppRole (server: postgres.Sql): Promise<void> {
  const [{ version } = { version: 0 }] = await server`select current_setting('server_version_num')::int as version`
  for (const [name, value] of Object.entries(appRoleSettings(version))) {
    await server.unsafe(`alter role ${roleNames.app} set ${name} = '${value}'`)
  }
}

/** With these an injected SELECT could name another tenant, store what no row-level security covers, or stop and block the others. */
export const forbidden = [
  'set_config',
  'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite', 'lo_open', 'lo_import', 'lo_export', 'lo_unlink', 'lo_truncate', 'lo_truncate64',
  'pg_terminate_backend', 'pg_cancel_backend',
  'pg_advisory_lock', 'pg_advisory_lock_shared', 'pg_try_advisory_lock', 'pg_try_advisory_lock_shared'
] as const

/** What PostgreSQL gives to PUBLIC and an app role must not have. */
async function lockDown (sql: postgres.Sql, database: string): Promise<SetUpResult> {
  await closeDatabase(sql, database)
  await sql.unsafe(`alter schema public owner to ${roleNames.owner}`)
  await sql.unsafe('revoke all on schema public from public')
  const [me] = await sql`select rolsuper from pg_roles where rolname = current_user`
  if (!me?.rolsuper) return { setConfigRevoked: false }
  const functions = await sql`
    select oid::regprocedure::text as name from pg_proc where pronamespace = 'pg_catalog'::regnamespace and proname = any(${[...forbidden]})`
  for (const { name } of functions) {
    await sql.unsafe(`revoke execute on function pg_catalog.${name} from public, ${roleNames.app}`)
    await sql.unsafe(`grant execute on function pg_catalog.${name} to ${roleNames.owner}`) // pg_dump calls set_config, migrations lock
  }
  return { setConfigRevoked: true }
}

/** Nobody else may connect or make temporary tables. These rights are the database's own: a copy made from a template lacks them. */
export async function closeDatabase (sql: postgres.Sql, database: string): Promise<void> {
  await sql`revoke all on database ${sql(database)} from public`
  await sql`grant connect on database ${sql(database)} to ${sql(roleNames.owner)}, ${sql(roleNames.app)}`
}

export function withDatabaseName (url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = '/' + encodeURIComponent(database)
  return changed.href
}

function explain (error: unknown): unknown {
  if (error instanceof CommandError) return error
  if (sqlState(error) === '42501') {
    return new CommandError(`The role of ADMIN_DATABASE_URL has too few rights (${(error as Error).message}). It takes a superuser, or CREATEROLE and CREATEDB.`, { cause: error })
  }
  return unreachable('ADMIN_DATABASE_URL', error)
}

/** One line for a server that does not answer or does not let us in. */
export function unreachable (variable: string, error: unknown): CommandError {
  let root = error as Error & { code?: string }
  while (root.cause instanceof Error) root = root.cause
  const { code, message } = root
  const reason: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there',
    ENOTFOUND: 'there is no such host',
    CONNECT_TIMEOUT: 'it does not answer',
    pool_busy: 'it does not answer',
    '28P01': 'the password is wrong, or there is no such role (npm run db:setup makes it)',
    28000: 'it does not let this role in',
    '3D000': 'there is no such database; run: npm run db:setup',
    '55P03': 'somebody holds a lock on its tables, perhaps a migration'
  }
  return new CommandError(`The server of ${variable} cannot be used: ${reason[code ?? ''] ?? message}.`, { cause: error })
}
