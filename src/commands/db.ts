import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { type Config, drizzleKit } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { migrateDatabase } from '../db/migrate.ts'
import { roleNames, setUpDatabase } from '../db/roles.ts'
import { CommandError } from '../errors.ts'

type Run = (work: (config: Config, signal: AbortSignal) => Promise<void>) => Promise<void>

export function addDbSetup (program: Command, run: Run): void {
  program.command('db:setup')
    .description(`Create the roles ${roleNames.owner} and ${roleNames.app} and the database, on any server; what is there is put right.\n` +
      'Needs ADMIN_DATABASE_URL: a superuser, or (then with TENANT_SIGNING=on) a role with CREATEROLE and CREATEDB.\n' +
      'Takes passwords and the database\'s name from DATABASE_URL and OWNER_DATABASE_URL.')
    .action(() => run(async config => {
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
    }))
}

/** The parts of a URL of ours. Policies and grants name the roles, so their names are fixed. */
function target (variable: string, text: string | undefined, role: string): { database: string, password: string } {
  if (!text) throw new CommandError(`${variable} is not set. db:setup takes the password of ${role} from it.`)
  const url = new URL(text)
  if (decodeURIComponent(url.username) !== role) throw new CommandError(`${variable} names the user ${url.username}, but must name ${role}.`)
  if (!url.password) throw new CommandError(`${variable} has no password for ${role}.`)
  return { database: decodeURIComponent(url.pathname.slice(1)), password: decodeURIComponent(url.password) }
}

export function addDbMigrate (program: Command, run: Run): void {
  program.command('db:migrate')
    .description('Bring the database up to date, as its owner: tables, policies, tenancy functions, grants, signing keys.')
    .action(() => run(async config => {
      const database = await openDatabase(config)
      try {
        await migrateDatabase(database.ownerUrl, config.signing)
        console.log('The database is up to date.')
      } finally {
        await database.release()
      }
    }))
}

export function addDbStudio (program: Command, run: Run): void {
  program.command('db:studio')
    .description('Browse the database with drizzle-kit, as the embedded server\'s superuser or ADMIN_DATABASE_URL.\n' +
      'As the owner, without either, every tenant\'s table looks empty: row-level security is forced on it.')
    .action(() => run(async (config, signal) => {
      const database = await openDatabase(config)
      try {
        const program = join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs')
        const url = database.adminUrl ?? config.adminDatabaseUrl ?? database.ownerUrl
        const studio = spawn(process.execPath, [program, 'studio'], { stdio: 'inherit', env: drizzleKit.environment(url) })
        signal.addEventListener('abort', () => studio.kill())
        await once(studio, 'exit')
      } finally {
        await database.release()
      }
    }))
}
