// Opens the doors to the database, refuses one that is not safe, listens, and closes in order.
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger, FastifyInstance, FastifyPluginAsync, FastifyServerOptions } from 'fastify'
import { LRUCache } from 'lru-cache'
import { buildApp } from './app.ts'
import type { Config } from './config.ts'
import { type Finding, audit, mustBeSafe } from './db/checks.ts'
import { AppError, CommandError } from './errors.ts'
import { createDirectory } from './tenancy/directory.ts'
import type { OnConnect } from './tenancy/pool.ts'
import { createTenancy } from './tenancy/tenancy.ts'

export interface Server {
  readonly app: FastifyInstance
  /** Where it listens. */
  readonly port: number
  /** Answers what has been asked, then ends the connections. */
  close (): Promise<void>
}

/**
 * @param databaseUrl the app role's URL
 * @throws {CommandError} if the database is not safe or not there, or the port is taken
 */
export async function startServer (
  config: Config, databaseUrl: string, logger: FastifyServerOptions['logger'], more?: FastifyPluginAsync
): Promise<Server> {
  let log: FastifyBaseLogger | undefined
  const onConnect = connectionNews(() => log)
  const directory = createDirectory(databaseUrl, onConnect)
  const tenancy = createTenancy({ url: databaseUrl, poolMax: config.poolMax, signing: config.signing, onConnect })
  const doors = { directory, signing: config.signing }
  let closing = false

  const closeDoors = async () => {
    await tenancy.close()
    await directory.close()
  }
  try {
    await mustBeSafe(doors)
  } catch (error) {
    await closeDoors()
    throw error
  }

  // Anyone may ask, as often as they like; the database is asked once a second.
  const findings = new LRUCache<'now', Finding[]>({ max: 1, ttl: 1_000, fetchMethod: () => audit(doors) })
  const ready = async () => {
    if (closing) throw new AppError('database_unavailable', { message: 'The server is closing.' })
    const [finding] = await findings.fetch('now') ?? []
    if (finding) {
      throw new AppError('database_unavailable', {
        message: 'The database is not in the state this program expects.', cause: new Error(`${finding.problem} (${finding.id})`)
      })
    }
    await tenancy.mustConnect()
  }

  const app = await buildApp({ tenancy, directory, ready, baseDomain: config.baseDomain, trustProxy: config.trustProxy, logger, more })
  log = app.log
  app.addHook('onClose', closeDoors)
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
      return app.close()
    }
  }
}

/** The log hears once that connections are refused, not with every request that suffers by it, and once that this is over. */
function connectionNews (log: () => FastifyBaseLogger | undefined): OnConnect {
  let told: number | undefined
  let refused = false
  return error => {
    if (!error && refused) {
      refused = false
      log()?.warn('connections to the database are opened again')
    } else if (error && !refused && Date.now() - (told ?? -Infinity) > 10_000) { // some refused, some not: not a line for each
      refused = true
      told = Date.now()
      log()?.error(error, 'the database refuses connections')
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

/**
 * Ends in order on SIGINT and SIGTERM (exit code 0) and after an error that nobody caught (1); a second signal ends at once (1).
 * npm hands on the Ctrl-C that the terminal has sent us already, so what comes within a second counts as one signal.
 * @param early tells of a signal that came while we were starting
 */
export function closeOnSignal (early: AbortSignal, close: () => Promise<void>, onError: (error: Error) => void): void {
  const grace = closeWithGrace({ delay: 15_000, logger: false, skip: ['SIGINT', 'SIGTERM'] }, async ({ err }) => {
    if (err) onError(err)
    await close()
  })
  let first: number | undefined
  const onSignal = () => {
    if (first === undefined) {
      first = Date.now()
      grace.close()
    } else if (Date.now() - first > 1000) process.exit(1)
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  if (early.aborted) onSignal()
}
