import { closeOnSignal } from '../closing.ts'
import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { logSink, loggerOptions } from '../log.ts'
import { type ServerOptions, startServer } from '../server.ts'

export default async function (config: Config, signal: AbortSignal): Promise<void> {
  const port = await serve(config, await openDatabase(config), config.logLevel ?? 'info', signal)
  if (process.stdout.isTTY) console.log(`Listening on http://${config.baseDomain}:${port}/`)
}

/** Listens until a signal comes; then answers what was asked, and lets go of the database. Returns the port. */
export async function serve (config: Config, database: Database, logLevel: string, signal: AbortSignal, options?: ServerOptions): Promise<number> {
  const sink = logSink(process.stdout)
  const logger = loggerOptions(config, logLevel, sink)
  const { app, close, port } = await startServer(config, database.appUrl, logger, options).catch(async error => {
    await database.release()
    throw error
  })
  sink.onLost(lines => app.log.warn({ event: 'log_lines_lost', lines }, 'nobody read the log for a while: lines were lost'))
  closeOnSignal(signal, async () => {
    await close()
    await database.release()
    await sink.flush(1_000)
  }, error => app.log.fatal(error, 'nobody caught this error'))
  return port
}
