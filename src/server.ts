// Opens the doors to the database, refuses one that is not safe, listens, and closes in order.
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { buildApp } from './app.ts'
import { orderlyClose } from './closing.ts'
import type { Config } from './config.ts'
import { audit, inWords, mustBeSafe } from './doctor/audit.ts'
import { watch } from './doctor/watch.ts'
import { AppError, CommandError } from './errors.ts'
import { createDirectory } from './tenancy/directory.ts'
import { createTenancy } from './tenancy/tenancy.ts'

export interface Server {
  readonly app: FastifyInstance
  /** Where it listens. */
  readonly port: number
  /** Answers what has been asked, then ends the connections; within ten seconds. */
  close (): Promise<void>
}

export type More = (app: FastifyInstance) => Promise<void>

/**
 * @param databaseUrl the app role's URL
 * @param lookEvery milliseconds between two looks at the walls; a minute unless given
 * @param more routes that only a test needs
 * @throws {CommandError} if the database is not safe or not there, or the port is taken
 */
export async function startServer (
  config: Config, databaseUrl: string, logger: FastifyServerOptions['logger'], lookEvery?: number, more?: More
): Promise<Server> {
  const { poolMax, signing, preparedStatements } = config
  const directory = createDirectory(databaseUrl, { preparedStatements })
  const tenancy = createTenancy({ url: databaseUrl, poolMax, signing, preparedStatements })
  let closing = false

  const closeDoors = async () => {
    await tenancy.close()
    await directory.close()
  }
  try {
    await mustBeSafe(directory, config, databaseUrl)
  } catch (error) {
    await closeDoors()
    throw error
  }

  const walls = watch({
    directory,
    every: lookEvery,
    look: async () => (await audit(directory, config, databaseUrl)).findings,
    onChange: finding => finding
      ? app.log.fatal({ event: 'walls_down' }, inWords(finding))
      : app.log.info({ event: 'walls_up' }, 'the walls are as they should be again')
  })
  const ready = async () => {
    if (closing) throw new AppError('database_unavailable', { message: 'The server is closing.' })
    await walls.ready()
  }

  const app = await buildApp({ tenancy, directory, ready, baseDomain: config.baseDomain, trustProxy: config.trustProxy, logger })
  app.addHook('onClose', async () => {
    walls.stop()
    await closeDoors()
  })
  if (more) await app.register(more)
  const leave = orderlyClose(app)
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    await app.close()
    throw cannotListen(error as NodeJS.ErrnoException, config)
  }
  const address = app.server.address()
  return {
    app,
    port: typeof address === 'object' && address ? address.port : config.port,
    close () {
      closing = true
      return leave()
    }
  }
}

function cannotListen ({ code, message }: NodeJS.ErrnoException, { host, port }: Config): CommandError {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'something else listens there. Set PORT to another one',
    EACCES: 'ports below 1024 take special rights. Set PORT to a higher one',
    EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one it has',
    ENOTFOUND: 'there is no such host. Set HOST to an address of this machine'
  }
  return new CommandError(`Cannot listen on ${host}:${port}: ${reasons[code ?? ''] ?? message}.`)
}
