// Every command. Each is one file in commands/; this one prints and exits.
import { Command } from 'commander'
import { addCreateTestData } from './commands/createtestdata.ts'
import { addDbMigrate, addDbSetup, addDbStudio } from './commands/db.ts'
import { addDemo, addStart } from './commands/serve.ts'
import { type Config, loadConfig } from './config.ts'
import { CommandError } from './errors.ts'

const program = new Command('rowhouse').description('Many accounts in one building, with solid walls.').showHelpAfterError('Try --help.')
for (const add of [addDemo, addStart, addCreateTestData, addDbSetup, addDbMigrate, addDbStudio]) add(program, run)
await program.parseAsync()

/** One line and exit code 1 for what a person can mend, 130 when stopped by Ctrl-C. What nobody foresaw keeps its stack. */
async function run (work: (config: Config, signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const onSignal = () => stop.abort()
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error }) // `| head` has seen enough
  try {
    await work(loadConfig(), stop.signal)
  } catch (error) {
    if (stop.signal.aborted) process.exitCode = 130
    else if (error instanceof CommandError) {
      console.error(error.message)
      process.exitCode = 1
    } else throw error
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}
