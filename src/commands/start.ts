import { closeOnSignal } from '../closing.ts'
import { type Config, processTask } from '../config.ts'
import { oversee } from '../cluster.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { logSink, loggerOptions } from '../log.ts'
import type { ServerOptions } from '../server.ts'

export default async function (config: Config, signal: AbortSignal): Promise<void> {
  const port = await start(config, signal)
  if (process.stdout.isTTY && port) console.log(`Listening on http://${config.baseDomain}:${port}/`)
}

/** Serves from as many processes as are wanted. Returns the port; nothing in a process that another one started. */
export async function start (config: Config, signal: AbortSignal, options?: ServerOptions): Promise<number | undefined> {
  const task = processTask.read()
  if (!task) {
    const database = await openDatabase(config)
    return config.processes === 1 ? serve(config, database, config.logLevel ?? 'info', signal, options) : oversee(config, database, signal)
  }
  const { appUrl, poolMax, first } = task
  await serve(task.config, { appUrl, release: async () => {} }, task.config.logLevel ?? 'info', signal, { ...options, poolMax, beside: !first }, task.replaces)
}

/** Listens until a signal comes; then answers what was asked, and lets go of the database. Returns the port. */
export async function serve (
  config: Config, database: Pick<Database, 'appUrl' | 'release'>, logLevel: string, signal: AbortSignal, options?: ServerOptions, replaces?: object
): Promise<number> {
  const { startServer } = await import('../server.ts') // not in the primary, which can do without
  const sink = logSink(process.stdout)
  const logger = loggerOptions(config, logLevel, sink)
  const { app, close, port } = await startServer(config, database.appUrl, logger, options).catch(async error => {
    await database.release()
    throw error
  })
  if (replaces) app.log.warn({ event: 'process_replaced', replaces }, 'a process has ended, and this one takes its place')
  sink.onLost(lines => app.log.warn({ event: 'log_lines_lost', lines }, 'nobody read the log for a while: lines were lost'))
  closeOnSignal(signal, async () => {
    await close()
    await database.release()
    await sink.flush(1_000)
  }, error => app.log.fatal(error, 'nobody caught this error'))
  return port
}
