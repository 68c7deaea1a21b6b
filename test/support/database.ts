import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import type { Test } from 'tap'
import { closeDatabase, roleNames, withDatabaseName } from '../../src/db/roles.ts'
import { type AccountId, accountId } from '../../src/tenancy/account.ts'
import { type Tenancy, createTenancy } from '../../src/tenancy/tenancy.ts'
import { type Lock, bypassRole, readServer, signing, template, urlAs } from './server.ts'

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
}

/** A database of this test's own, migrated and empty, dropped when the test ends. */
export async function testDatabase (t: Test, lock: Lock = 'revoked'): Promise<TestDatabase> {
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
  return {
    name,
    lock,
    appUrl: urlAs(server, roleNames.app, name),
    ownerUrl: urlAs(server, roleNames.owner, name),
    adminUrl: withDatabaseName(server.adminUrl, name),
    bypassUrl: urlAs(server, bypassRole, name),
    admin
  }
}

/** One raw connection, closed when the test ends. */
export function connect (t: Test, url: string): postgres.Sql {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 })
  t.teardown(() => sql.end({ timeout: 1 }))
  return sql
}

export function testTenancy (t: Test, database: Pick<TestDatabase, 'appUrl' | 'lock'>, { url = database.appUrl, poolMax = 4 } = {}): Tenancy {
  const tenancy = createTenancy({ url, poolMax, signing: database.lock === 'signed' ? signing : undefined })
  t.teardown(() => tenancy.close())
  return tenancy
}

export const [A, B] = [accountId(1), accountId(2)] as [AccountId, AccountId]
