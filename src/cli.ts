// Every command, and what it takes. What it does is one file in commands/, loaded when it is called; this one prints and exits.
import { Command, InvalidArgumentError, Option } from 'commander'
import { roles } from './auth/roles.ts'
import { type Config, loadConfig } from './config.ts'
import { CommandError } from './errors.ts'
import { defaultAmounts } from './testdata/amounts.ts'

const program = new Command('rowhouse').description('Many accounts in one building, with solid walls.').showHelpAfterError('Try --help.')
  .configureOutput({ outputError: (text, write) => write(printable(text)) })

program.command('demo')
  .description('Serve five accounts full of data, on the embedded server or DATABASE_URL; creates what is missing.')
  .action(run(() => import('./commands/demo.ts')))

program.command('start')
  .description('Serve. Uses DATABASE_URL, or the embedded server.')
  .action(run(() => import('./commands/start.ts')))

program.command('doctor')
  .description('Look whether the database is safe to serve from: roles, row-level security, keys, functions, settings.\n' +
    'Exit code 0: nothing critical or high was found; 1: something was; 2: it could not look.')
  .option('--json', 'print one JSON document', false)
  .action(run(() => import('./commands/doctor.ts'), 2))

program.command('prove')
  .description('Try to reach another account\'s rows, past the helpers: every table, every verb, every kind of stranger, as the app role. Everything is\n' +
    'rolled back. Exit code 0: the walls hold; 1: a leak, or a hole that the probes did not see; 2: it could not run.')
  .option('--mutate', 'then take each part of the walls down, one at a time, and see whether the probes notice (needs ADMIN_DATABASE_URL)', false)
  .option('--json', 'print everything as JSON', false)
  .action(run(() => import('./commands/prove.ts'), 2))

const { users, projects, tasks, subtasks } = defaultAmounts
program.command('createtestdata')
  .description('Create accounts full of plausible data, through the app role and row-level security.\n' +
    'The same seed gives the same data, byte for byte.')
  .option('--accounts <n>', 'number of accounts to create', natural, 1)
  .option('--min-users <n>', 'users in an account, at least', natural, users.min)
  .option('--max-users <n>', 'users in an account, at most', natural, users.max)
  .option('--min-projects <n>', 'projects in an account, at least', natural, projects.min)
  .option('--max-projects <n>', 'projects in an account, at most', natural, projects.max)
  .option('--min-tasks <n>', 'tasks for each project, at least (then spread at random)', natural, tasks.min)
  .option('--max-tasks <n>', 'tasks for each project, at most', natural, tasks.max)
  .option('--min-subtasks <n>', 'subtasks for each task, at least (then spread at random)', natural, subtasks.min)
  .option('--max-subtasks <n>', 'subtasks for each task, at most', natural, subtasks.max)
  .option('--seed <n>', 'another seed, other data', natural, 0)
  .option('--append', 'add to the test accounts that are there', false)
  .option('--reset', 'replace the test accounts that are there', false)
  .option('--rollback', 'do everything, then undo it', false)
  .option('--quiet', 'print nothing but errors', false)
  .action(run(() => import('./commands/createtestdata.ts')))

const user = program.command('user')
  .description('The people of an account, from outside: the first owner of a new one, or somebody who has lost their password.')
const account = () => new Option('--account <name>', 'the account: the first part of its host name').makeOptionMandatory()
const email = () => new Option('--email <address>', 'the user\'s e-mail address').makeOptionMandatory()
const password = 'Asks for the password; or reads it from standard input, if that is no terminal.'

user.command('create')
  .description(`Make somebody a user.\n${password}`)
  .addOption(account())
  .addOption(email())
  .addOption(new Option('--role <role>', 'what they may do').choices(roles).makeOptionMandatory())
  .option('--first-name <name>', 'unless given, what comes before the @')
  .option('--last-name <name>', 'unless given, what comes after it')
  .action(run(async () => ({ default: (await import('./commands/user.ts')).create })))

user.command('reset-password')
  .description(`Give somebody another password. All of their sessions and API tokens end.\n${password}`)
  .addOption(account())
  .addOption(email())
  .action(run(async () => ({ default: (await import('./commands/user.ts')).reset })))

user.command('list')
  .description('Who is in the account: e-mail address, role, and whether they are inactive.')
  .addOption(account())
  .action(run(async () => ({ default: (await import('./commands/user.ts')).list })))

user.command('deactivate')
  .description('Let somebody in no more. All of their sessions and API tokens end; what they made stays.')
  .addOption(account())
  .addOption(email())
  .action(run(async () => ({ default: (await import('./commands/user.ts')).deactivate })))

program.command('db:setup')
  .description('Create the roles rowhouse_owner and rowhouse_app and the database, on any server; what is there is put right.\n' +
    'Needs ADMIN_DATABASE_URL: a superuser, or (then with TENANT_SIGNING=on) a role with CREATEROLE and CREATEDB.\n' +
    'Takes passwords and the database\'s name from DATABASE_URL and OWNER_DATABASE_URL.')
  .action(run(() => import('./commands/db-setup.ts')))

program.command('db:migrate')
  .description('Bring the database up to date, as its owner: tables, policies, tenancy functions, grants, signing keys.')
  .action(run(() => import('./commands/db-migrate.ts')))

program.command('db:studio')
  .description('Browse the database with drizzle-kit, as the embedded server\'s superuser or ADMIN_DATABASE_URL.\n' +
    'As the owner, without either, every tenant\'s table looks empty: row-level security is forced on it.')
  .action(run(() => import('./commands/db-studio.ts')))

process.channel?.unref() // one of several processes (cluster.ts) that cannot go on must end, though the primary would speak to it
await program.parseAsync()

/**
 * The exit code is what the command returns. If it cannot go on: one line for what a person can mend, and 130 when stopped by Ctrl-C.
 * What nobody foresaw keeps its stack.
 * @param unable the exit code then; 2 for commands whose 1 is an answer
 */
function run<Flags> (load: () => Promise<{ default: (config: Config, signal: AbortSignal, flags: Flags) => Promise<number | void> }>, unable = 1) {
  return async (flags: Flags): Promise<void> => {
    const stop = new AbortController()
    const onSignal = () => stop.abort()
    // on, not once: a library of ours ends the process at a signal that nobody else listens for any more
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
    process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error }) // `| head` has seen enough
    try {
      const config = loadConfig()
      const code = await (await load()).default(config, stop.signal, flags)
      if (code) process.exitCode = code
    } catch (error) {
      if (stop.signal.aborted) process.exitCode = 130
      else if (error instanceof CommandError) {
        console.error(error.message)
        process.exitCode = unable
      } else {
        console.error(error)
        process.exit(unable)
      }
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    }
  }
}

/** What somebody wrote is repeated to them, but not all of it, and nothing that would steer the terminal. */
function printable (text: string): string {
  const shown = text.replace(/[^\P{C}\n]/gu, '?')
  return shown.length <= 1_000 ? shown : `${shown.slice(0, 1_000)}...\n`
}

function natural (text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 0 to 999999999.')
  return Number(text)
}
