import type { FastifyServerOptions } from 'fastify'
import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { closeOnSignal, startServer } from '../server.ts'

export default async function (config: Config, signal: AbortSignal): Promise<void> {
  const port = await serve(config, await openDatabase(config), config.logLevel ?? 'info', signal)
  if (process.stdout.isTTY) console.log(`Listening on http://${config.baseDomain}:${port}/`)
}

/** Listens until a signal comes; then answers what was asked, and lets go of the database. Returns the port. */
export async function serve (config: Config, database: Database, logLevel: string, signal: AbortSignal): Promise<number> {
  const server = await startServer(config, database.appUrl, logger(config, logLevel)).catch(async error => {
    await database.release()
    throw error
  })
  closeOnSignal(signal, async () => {
    await server.close()
    await database.release()
  }, error => server.app.log.fatal(error, 'nobody caught this error'))
  return server.port
}

function logger ({ production }: Config, level: string): FastifyServerOptions['logger'] {
  return {
    level,
    redact: ['req.headers.cookie', 'req.headers.authorization', 'res.headers["set-cookie"]'],
    ...(!production && process.stdout.isTTY && { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } } })
  }
}
