// Where the database is: the server of the configuration, or the embedded one, found running or started for as long as it is needed.
// A server of the configuration is left as it is; the embedded one is set up and migrated whenever it is started.
import type { Config } from '../config.ts'
import { CommandError } from '../errors.ts'
import { embeddedServer } from './embedded.ts'
import { migrateDatabase } from './migrate.ts'
import { roleNames, setUpDatabase } from './roles.ts'

export interface Database {
  readonly appUrl: string
  /** @throws {CommandError} if the configuration has no OWNER_DATABASE_URL */
  readonly ownerUrl: string
  /** The embedded server's superuser; undefined for a server of the configuration. */
  readonly adminUrl?: string
  /** Ends the embedded server if nobody else uses it. */
  release (): Promise<void>
}

export async function openDatabase (config: Config): Promise<Database> {
  const { databaseUrl: appUrl, ownerDatabaseUrl } = config
  if (appUrl) return { appUrl, get ownerUrl () { return ownerDatabaseUrl ?? missingOwner() }, release: async () => {} }

  const server = await embeddedServer(config.dataDir)
  const url = (user: string, password: string, database: string) => `postgres://${user}:${password}@127.0.0.1:${server.port}/${database}`
  const { admin, owner, app } = server.passwords
  try {
    if (server.started) {
      await setUpDatabase({ adminUrl: url('postgres', admin, 'postgres'), database: 'rowhouse', passwords: { owner, app } })
      await migrateDatabase(url(roleNames.owner, owner, 'rowhouse'), config.signing)
    }
  } catch (error) {
    await server.release()
    throw error
  }
  return {
    appUrl: url(roleNames.app, app, 'rowhouse'),
    ownerUrl: url(roleNames.owner, owner, 'rowhouse'),
    adminUrl: url('postgres', admin, 'rowhouse'),
    release: server.release
  }
}

function missingOwner (): never {
  throw new CommandError('OWNER_DATABASE_URL is not set, but this needs the owner\'s rights. Set it beside DATABASE_URL.')
}
