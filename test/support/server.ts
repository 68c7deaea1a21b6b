// The server that tests run on. `before` starts it and makes the templates; each test file clones what it needs; `after` stops it.
// An embedded one of their own, unless the environment has
//
//   ADMIN_DATABASE_URL   a server that is there, as a superuser: it is used, and left running
//   TEST_POSTGRES        other programs than those from npm, as a folder: /usr/lib/postgresql/15/bin. A cluster is made with them in
//                        .data/, as throwaway as the embedded one
//   TEST_PGBOUNCER       PgBouncer's program: /usr/sbin/pgbouncer. It is started before whichever server it is, in transaction mode, and
//                        the app role and the one that row-level security does not bind go through it
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import postgres from 'postgres'
import { loadConfig } from '../../src/config.ts'
import { embeddedServer } from '../../src/db/embedded.ts'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { roleNames, setUpDatabase, withDatabaseName } from '../../src/db/roles.ts'
import { type Pooler, startPgBouncer, stopPgBouncer } from './pgbouncer.ts'

const folder = resolve('.data/test')
const file = join(folder, 'server.json')

/** The lock on forging that a database has: set_config revoked, or the tenant context signed (and set_config left to everyone). */
export type Lock = 'revoked' | 'signed'

export const signing = {
  current: 'f0e1d2c3b4a5968778695a4b3c2d1e0f-test-current',
  previous: '0123456789abcdefghijklmnopqrstuv-test-previous'
}

export const bypassRole = 'rowhouse_test_bypass'
export const template = (lock: Lock) => `rowhouse_test_template_${lock}`

/** URLs on the test server. `bypass` is the app role but for row-level security: what is left is the first wall. */
export interface TestServer { adminUrl: string, password: string, pooler?: Pooler | undefined }

export const urlAs = ({ adminUrl, password }: TestServer, user: string, database: string) => {
  const url = new URL(withDatabaseName(adminUrl, database))
  url.username = user
  url.password = password
  return url.href
}

export async function readServer (): Promise<TestServer> {
  return JSON.parse(await readFile(file, 'utf8')) as TestServer
}

export async function startTestServer (): Promise<void> {
  const { adminDatabaseUrl } = loadConfig()
  await stopPooler() // of a run that was broken off
  const adminUrl = adminDatabaseUrl ?? await throwaway()
  const password = randomBytes(12).toString('hex')
  const users = { [roleNames.app]: password, [bypassRole]: password }
  const program = process.env.TEST_PGBOUNCER
  const pooler = program ? await startPgBouncer({ program, target: adminUrl, users }) : undefined
  const server: TestServer = { adminUrl, password, pooler }
  await mkdir(folder, { recursive: true })
  await writeFile(file, JSON.stringify(server), { mode: 0o600 })

  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} })
  const old = await admin`select datname from pg_database where datname like 'rowhouse_test_%'`
  for (const { datname } of old) await admin`drop database ${admin(datname)} with (force)`
  for (const lock of ['revoked', 'signed'] as const) {
    await setUpDatabase({ adminUrl, database: template(lock), passwords: { owner: server.password, app: server.password } })
    await migrateDatabase(urlAs(server, roleNames.owner, template(lock)), lock === 'signed' ? signing : undefined)
  }
  const signed = postgres(withDatabaseName(adminUrl, template('signed')), { max: 1 })
  await signed`grant execute on function pg_catalog.set_config(text, text, boolean) to public` // as on a managed server
  await signed.end()
  await admin.unsafe(`drop role if exists ${bypassRole}`)
  await admin.unsafe(`create role ${bypassRole} login bypassrls in role ${roleNames.app} password '${server.password}'`)
  await admin.end()
}

export async function stopTestServer (): Promise<void> {
  await stopPooler()
  if (!loadConfig().adminDatabaseUrl) await (await cluster()).release()
  await rm(file, { force: true })
}

async function stopPooler (): Promise<void> {
  const { pooler } = await readServer().catch(() => ({ pooler: undefined }))
  if (pooler) await stopPgBouncer(pooler)
}

async function throwaway (): Promise<string> {
  const { port, passwords } = await cluster()
  return `postgres://postgres:${passwords.admin}@127.0.0.1:${port}/postgres`
}

/** Starts it, or finds it running. Each folder is of one set of programs, so that no server meets another version's files. */
function cluster () {
  const programs = process.env.TEST_POSTGRES && resolve(process.env.TEST_POSTGRES, '..')
  return embeddedServer(programs ? folder + programs.replace(/\W+/g, '-') : folder, { durable: false, programs })
}
