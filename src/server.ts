// Opens the doors to the database, refuses one that is not safe, listens, and closes in order.
import type { FastifyBaseLogger, FastifyInstance, FastifyServerOptions } from 'fastify'
import type { AppOptions } from './app.ts'
import type { Config } from './config.ts'
import { audit, inWords, mustBeSafe } from './doctor/audit.ts'
import { watch } from './doctor/watch.ts'
import { AppError, CommandError } from './errors.ts'
import { createDirectory } from './tenancy/directory.ts'
import type { OnConnect } from './tenancy/pool.ts'
import { createTenancy } from './tenancy/tenancy.ts'
import { tuneV8 } from './v8.ts'

export interface Server {
  readonly app: FastifyInstance
  /** Where it listens. */
  readonly port: number
  /** Answers what has been asked, then ends the connections; within ten seconds. */
  close (): Promise<void>
}

export interface ServerOptions extends Pick<AppOptions, 'maxDelay' | 'more'> {
  /** Milliseconds between two looks at the walls; a minute unless given. */
  readonly lookEvery?: number
  /** Connections at the most, where that is not all of POOL_MAX. */
  readonly poolMax?: number
  /**
   * Another process of ours has looked at the walls, and serves. This one looks at once, but as the watch does, after it has begun to serve: it
   * has to come up also while the database restarts.
   */
  readonly beside?: boolean
}

/**
 * Connections that may wait to be accepted; Linux allows no more by itself. Who comes when the queue is full (Node's is 511, unless told)
 * is not refused, but tries again after one second, then after three and after seven.
 */
const backlog = 4_096

/**
 * @param databaseUrl the app role's URL
 * @throws {CommandError} if the database is not safe or not there, or the port is taken
 */
export async function startServer (
  config: Config, databaseUrl: string, logger: FastifyServerOptions['logger'], { lookEvery, poolMax = config.poolMax, beside = false, maxDelay, more }: ServerOptions = {}
): Promise<Server> {
  const { signing, preparedStatements } = config
  const news: { log?: FastifyBaseLogger } = {} // of the application, which is yet to be built
  const onConnect = connectionNews(news)
  const directory = createDirectory(databaseUrl, { preparedStatements, onConnect })
  const tenancy = createTenancy({ url: databaseUrl, poolMax, signing, preparedStatements, onConnect })
  let closing = false

  const closeDoors = async () => {
    await tenancy.close()
    await directory.close()
  }
  const loaded = import('./app.ts') // while the database answers
  try {
    if (!beside) await mustBeSafe(directory, config, databaseUrl)
  } catch (error) {
    await closeDoors()
    throw error
  }
  const { buildApp } = await loaded

  const walls = watch({
    directory,
    every: lookEvery,
    atOnce: beside,
    look: async () => (await audit(directory, config, databaseUrl)).findings,
    onChange: finding => finding
      ? app.log.fatal({ event: 'walls_down' }, inWords(finding))
      : app.log.info({ event: 'walls_up' }, 'the walls are as they should be again')
  })
  const ready = async () => {
    if (closing) throw new AppError('database_unavailable', { message: 'The server is closing.' })
    await walls.ready()
    await tenancy.mustConnect()
  }

  const { baseDomain, trustProxy, rateLimits, processes } = config
  const app = await buildApp({ tenancy, directory, ready, baseDomain, trustProxy, rateLimits, processes, logger, maxDelay, more })
  news.log = app.log
  app.addHook('onClose', async () => {
    walls.stop()
    await closeDoors()
  })
  try {
    await app.listen({ host: config.host, port: config.port, backlog })
  } catch (error) {
    await app.close()
    throw cannotListen(error as NodeJS.ErrnoException, config)
  }
  tuneV8()
  const address = app.server.address()
  return {
    app,
    port: typeof address === 'object' && address ? address.port : config.port,
    close () {
      closing = true
      return app.leave()
    }
  }
}

/** The log hears once that connections are refused, not with every request that suffers by it, and once that this is over. */
function connectionNews (to: { readonly log?: FastifyBaseLogger }): OnConnect {
  let told: number | undefined
  let refused = false
  return error => {
    if (!error && refused) {
      refused = false
      to.log?.warn('connections to the database are opened again')
    } else if (error && !refused && Date.now() - (told ?? -Infinity) > 10_000) { // some refused, some not: not a line for each
      refused = true
      told = Date.now()
      to.log?.error(error, 'the database refuses connections')
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
