// The server that tests run on: an embedded one of their own, or that of ADMIN_DATABASE_URL. `before` starts it and makes the
// templates; each test file clones what it needs.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import postgres from 'postgres'
import { loadConfig } from '../../src/config.ts'
import { embeddedServer } from '../../src/db/embedded.ts'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { roleNames, setUpDatabase, withDatabaseName } from '../../src/db/roles.ts'

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
export interface TestServer { adminUrl: string, password: string }

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
  const adminUrl = adminDatabaseUrl ?? await embedded()
  const server = { adminUrl, password: randomBytes(12).toString('hex') }
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
  if (!loadConfig().adminDatabaseUrl) await (await embeddedServer(folder, { durable: false })).release()
  await rm(file, { force: true })
}

async function embedded (): Promise<string> {
  const { port, passwords } = await embeddedServer(folder, { durable: false })
  return `postgres://postgres:${passwords.admin}@127.0.0.1:${port}/postgres`
}
