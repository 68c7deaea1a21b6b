import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { closeDatabase, roleNames, withDatabaseName } from '../../src/db/roles.ts'
import { type AccountId, accountId } from '../../src/tenancy/account.ts'
import { contextOf as contextFor } from '../../src/tenancy/context.ts'
import { type Tenancy, createTenancy } from '../../src/tenancy/tenancy.ts'
import { throughPooler } from './pgbouncer.ts'
import { type Lock, bypassRole, readServer, signing, template, urlAs } from './server.ts'

/** Who tidies up in the end: a test, or a program. */
export interface Owner {
  teardown (tidy: () => unknown): unknown
  fail? (message: string): unknown
}

/** Fails a test that is over already: to throw while tidying up would leave the rest untidied, and connections open. */
export function failLate (owner: Owner, message: string): void {
  console.error(message) // the report says only that something came late
  if (!owner.fail) throw new Error(message)
  owner.fail(message)
}

export interface TestDatabase {
  readonly name: string
  readonly lock: Lock
  readonly appUrl: string
  readonly ownerUrl: string
  readonly adminUrl: string
  /** The app role but for row-level security, which does not bind it: only the helpers' filter is left. */
  readonly bypassUrl: string
  /** A superuser's connection, for looking behind the walls. */
  readonly admin: postgres.Sql
  /** Whether there is a pooler before appUrl and bypassUrl (see server.ts), which leaves named statements behind. */
  readonly pooled: boolean
  /**
   * The same without a pooler, for a test that looks at what goes over the wire or counts round trips, or which takes a backend for
   * a connection of ours: kills it, counts it, reads its pid. Through a pooler none of that is ours.
   */
  readonly direct: TestDatabase
}

/** A database of this test's own, migrated and empty, dropped when the test ends. */
export async function testDatabase (t: Owner, lock: Lock = 'revoked'): Promise<TestDatabase> {
  const server = await readServer()
  const name = `rowhouse_test_${randomBytes(6).toString('hex')}`
  const root = postgres(server.adminUrl, { max: 1, onnotice: () => {} })
  await root`select pg_advisory_lock(hashtext('rowhouse test clones'))` // a template can be copied by one at a time
  await root`create database ${root(name)} template ${root(template(lock))} owner ${root(roleNames.owner)}`
  await closeDatabase(root, name)
  await root`select pg_advisory_unlock_all()`
  const admin = connect(t, withDatabaseName(server.adminUrl, name))
  t.teardown(async () => {
    await admin.end()
    await root`drop database ${root(name)} with (force)`
    await root.end()
  })
  const { pooler } = server
  const urls = {
    appUrl: urlAs(server, roleNames.app, name),
    ownerUrl: urlAs(server, roleNames.owner, name),
    adminUrl: withDatabaseName(server.adminUrl, name),
    bypassUrl: urlAs(server, bypassRole, name)
  }
  const direct: TestDatabase = { name, lock, ...urls, admin, pooled: false, get direct () { return direct } }
  if (!pooler) return direct
  return { ...direct, appUrl: throughPooler(urls.appUrl, pooler), bypassUrl: throughPooler(urls.bypassUrl, pooler), pooled: true, direct }
}

/** One raw connection, closed when the test ends. */
export function connect (t: Owner, url: string, onnotice: (notice: postgres.Notice) => void = () => {}): postgres.Sql {
  const sql = postgres(url, { max: 1, onnotice, connect_timeout: 10, prepare: false })
  t.teardown(() => sql.end({ timeout: 1 }))
  return sql
}

export function testTenancy (t: Owner, database: Pick<TestDatabase, 'appUrl' | 'lock' | 'pooled'>, { url = database.appUrl, poolMax = 4 } = {}): Tenancy {
  const tenancy = createTenancy({ url, poolMax, signing: database.lock === 'signed' ? signing : undefined, ...slotOptions(database) })
  t.teardown(() => tenancy.close())
  return tenancy
}

/** How the slots of a directory or a pool must speak to this database. */
export const slotOptions = ({ pooled }: Pick<TestDatabase, 'pooled'>) => ({ preparedStatements: !pooled })

/** Ends every connection that the app role has to this database. */
export async function endConnections ({ admin, name }: Pick<TestDatabase, 'admin' | 'name'>): Promise<void> {
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and usename = 'rowhouse_app'`
}

export const [A, B] = [accountId(1), accountId(2)] as [AccountId, AccountId]

/** What tenancy.enter() is given for this account, under this lock. */
export const contextOf = (lock: Lock, account: AccountId): string => contextFor(account, lock === 'signed' ? signing : undefined)
