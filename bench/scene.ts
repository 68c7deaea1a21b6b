// The databases of the bench, filled once and kept: an embedded server of its own in .data/bench, or the one of the configuration.
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import postgres, { type Sql } from 'postgres'
import { type Config, loadConfig } from '../src/config.ts'
import { embeddedServer } from '../src/db/embedded.ts'
import { migrateDatabase } from '../src/db/migrate.ts'
import { roleNames, setUpDatabase, withDatabaseName } from '../src/db/roles.ts'
import { CommandError } from '../src/errors.ts'
import { signIn } from '../test/support/signed-in.ts'

const run = promisify(execFile)

/** The key of the databases whose tenant context is signed. There is nothing in them to be guarded. */
export const signingKey = 'bench-0123456789abcdefghijklmnop'

export interface Place {
  readonly appUrl: string
  readonly ownerUrl: string
  /** A superuser's: for what row-level security must not bind. */
  readonly adminUrl: string
  readonly signed: boolean
}

export interface Scene {
  readonly admin: Sql
  /** As many accounts as were asked for, tenant-0 and on; a large account, and a small one, after them. */
  readonly main: Place
  /** The same, with the tenant context signed. */
  readonly signed: Place
  /** A database with this many accounts, filled if it is not; accounts of the same number hold the same. */
  withAccounts (accounts: number): Promise<Place>
  /** A new and empty one, in the place of an earlier one. */
  empty (): Promise<Place>
  close (): Promise<void>
}

/** The accounts that come after the others: an ordinary one, and a large one. */
export const extra = [
  { subtasks: 375, amounts: { projects: 3, tasks: 5, subtasks: 25 } },
  { subtasks: 100_000, amounts: { projects: 10, tasks: 10, subtasks: 1_000 } }
] as const

/** @throws {CommandError} if the server is not one that can be used */
export async function openScene (accounts: number, say: (text: string) => void): Promise<Scene> {
  const server = await findServer(loadConfig())
  const admin = postgres(server.adminUrl, { max: 1, onnotice: () => {} })

  const place = (database: string, signed = false): Place => ({
    appUrl: server.urlOf(roleNames.app, database),
    ownerUrl: server.urlOf(roleNames.owner, database),
    adminUrl: withDatabaseName(server.adminUrl, database),
    signed
  })
  const isThere = async (database: string) => (await admin`select from pg_database where datname = ${database}`).length > 0
  async function setUp (database: string): Promise<Place> {
    await setUpDatabase({ adminUrl: server.adminUrl, database, passwords: server.passwords })
    const made = place(database)
    await migrateDatabase(made.ownerUrl)
    return made
  }
  async function drop (database: string): Promise<void> {
    await admin`drop database if exists ${admin(database)} with (force)`
  }

  async function withAccounts (wanted: number): Promise<Place> {
    const made = await setUp(`rowhouse_bench_${wanted}`)
    const present = await accountsOf(made)
    if (present >= wanted) return made
    say(`Filling ${wanted - present} accounts.`)
    await createTestData(made, { accounts: wanted - present })
    return made
  }

  const name = `rowhouse_bench_${accounts}`
  const main = await withAccounts(accounts)
  for (const [i, { subtasks, amounts }] of extra.entries()) {
    if (await accountsOf(main) > accounts + i) continue
    say(`Filling an account with ${subtasks} subtasks.`)
    await createTestData(main, { accounts: 1, amounts })
  }
  const signedName = `${name}_signed`
  if (!await isThere(signedName)) {
    say('Copying it, to sign the tenant context.')
    await admin`create database ${admin(signedName)} template ${admin(name)} owner ${admin(roleNames.owner)}`
  }
  await setUpDatabase({ adminUrl: server.adminUrl, database: signedName, passwords: server.passwords })
  const signed = place(signedName, true)
  await migrateDatabase(signed.ownerUrl, { current: signingKey })
  for (const each of [main, signed]) await prepare(each)

  return {
    admin,
    main,
    signed,
    async withAccounts (wanted) {
      const made = await withAccounts(wanted)
      await prepare(made)
      return made
    },
    async empty () {
      await drop('rowhouse_bench_empty')
      return setUp('rowhouse_bench_empty')
    },
    async close () {
      await drop('rowhouse_bench_empty')
      await admin.end()
      await server.release()
    }
  }
}

async function findServer (config: Config) {
  const { databaseUrl, ownerDatabaseUrl, adminDatabaseUrl } = config
  if (databaseUrl) {
    if (!ownerDatabaseUrl || !adminDatabaseUrl) throw new CommandError('With DATABASE_URL, the bench needs OWNER_DATABASE_URL and ADMIN_DATABASE_URL as well: it makes databases of its own.')
    const passwords = { app: passwordOf(databaseUrl), owner: passwordOf(ownerDatabaseUrl) }
    return { adminUrl: adminDatabaseUrl, passwords, urlOf: urls(adminDatabaseUrl, passwords), release: async () => {} }
  }
  const { port, passwords, release } = await embeddedServer(resolve('.data/bench'))
  const adminUrl = `postgres://postgres:${passwords.admin}@127.0.0.1:${port}/postgres`
  return { adminUrl, passwords, urlOf: urls(adminUrl, passwords), release }
}

const passwordOf = (url: string) => decodeURIComponent(new URL(url).password)

const urls = (adminUrl: string, passwords: { owner: string, app: string }) => (role: string, database: string) => {
  const url = new URL(withDatabaseName(adminUrl, database))
  url.username = role
  url.password = encodeURIComponent(role === roleNames.app ? passwords.app : passwords.owner)
  return url.href
}

/** The environment of a command that uses this database. */
export const environment = ({ appUrl, ownerUrl, signed }: Place): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_ENV: 'production',
  LOG_LEVEL: 'error',
  RATE_LIMIT_SESSION: '999999', // counted, as ever; one session asks for all of them
  RATE_LIMIT_ACCOUNT: '999999',
  DATABASE_URL: appUrl,
  OWNER_DATABASE_URL: ownerUrl,
  ...signed && { TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: signingKey }
})

async function createTestData (place: Place, { accounts, amounts = {} }: { accounts: number, amounts?: Record<string, number> }): Promise<void> {
  const exactly = Object.entries(amounts).flatMap(([what, n]) => [`--min-${what}`, String(n), `--max-${what}`, String(n)])
  await run(process.execPath, ['dist/src/cli.js', 'createtestdata', '--append', '--quiet', '--accounts', String(accounts), ...exactly], { env: environment(place) })
}

async function accountsOf ({ adminUrl }: Place): Promise<number> {
  const sql = postgres(adminUrl, { max: 1 })
  const [{ n } = { n: 0 }] = await sql`select count(*)::int as n from accounts`
  await sql.end()
  return n
}

/** Everybody is signed in; and nothing is left to be tidied while something is measured, nor need scans of an index alone look at the table. */
async function prepare ({ adminUrl }: Place): Promise<void> {
  const sql = postgres(adminUrl, { max: 1 })
  await signIn(sql)
  await sql`vacuum analyze`
  await sql`checkpoint`
  await sql.end()
}
