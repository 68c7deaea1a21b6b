import type { Config } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { roleNames, setUpDatabase } from '../db/roles.ts'
import { CommandError } from '../errors.ts'

export default async function (config: Config): Promise<void> {
  if (!config.databaseUrl) {
    await (await openDatabase(config)).release()
    console.log('The embedded server is set up.')
    return
  }
  const [app, owner] = [target('DATABASE_URL', config.databaseUrl, roleNames.app), target('OWNER_DATABASE_URL', config.ownerDatabaseUrl, roleNames.owner)]
  if (!config.adminDatabaseUrl) throw new CommandError('ADMIN_DATABASE_URL is not set. It takes a superuser, or a role with CREATEROLE and CREATEDB.')
  if (app.database !== owner.database) throw new CommandError('DATABASE_URL and OWNER_DATABASE_URL name different databases.')
  const { setConfigRevoked } = await setUpDatabase({
    adminUrl: config.adminDatabaseUrl, database: app.database, passwords: { app: app.password, owner: owner.password }
  })
  console.log(`The database ${app.database} and its roles are set up. Next: npm run db:migrate`)
  if (!setConfigRevoked && !config.signing) {
    console.log('This role could not revoke set_config (it takes a superuser), so the server will start only with TENANT_SIGNING=on.')
  }
}

/** The parts of a URL of ours. Policies and grants name the roles, so their names are fixed. */
function target (variable: string, text: string | undefined, role: string): { database: string, password: string } {
  if (!text) throw new CommandError(`${variable} is not set. db:setup takes the password of ${role} from it.`)
  const url = new URL(text)
  if (decodeURIComponent(url.username) !== role) throw new CommandError(`${variable} names the user ${url.username}, but must name ${role}.`)
  if (!url.password) throw new CommandError(`${variable} has no password for ${role}.`)
  return { database: decodeURIComponent(url.pathname.slice(1)), password: decodeURIComponent(url.password) }
}
