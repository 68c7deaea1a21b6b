// How a server goes without failing a request: it says so, sees its connections off one by one, and hangs up on what is left.
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import { fastifyPlugin } from 'fastify-plugin'

/** Milliseconds. Both count from the signal. */
const patience = { listening: 1_000, all: 10_000 }

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Closes the server. First every reply becomes its connection's last, while whoever comes is still served, up to a second: hanging up
     * on a connection between two requests would fail the one that is on its way. Then nobody new is let in. After ten seconds what is
     * left is cut off.
     */
    leave (): Promise<void>
  }
}

/** Gives the instance `leave()`. Registered before any route. */
export const orderlyClose = fastifyPlugin(async app => {
  let leaving = false
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (leaving) reply.header('connection', 'close')
    done()
  })

  const connections = () => new Promise<number>((resolve, reject) => {
    app.server.getConnections((error, n) => error ? reject(error) : resolve(n))
  })

  app.decorate('leave', async () => {
    leaving = true
    const started = Date.now()
    while (await connections() > 0 && Date.now() - started < patience.listening) await sleep(20)
    // Node closes idle connections once, when it stops to listen; a reply that was too far to say "close" leaves one later
    const idle = setInterval(() => app.server.closeIdleConnections(), 100)
    const closed = app.close()
    const left = started + patience.all - Date.now()
    const inTime = await Promise.race([closed.then(() => true), sleep(left, false, { ref: false })])
    clearInterval(idle)
    if (inTime) return
    app.log.warn({ connections: await connections() }, 'some requests did not end in time: their connections are cut')
    app.server.closeAllConnections()
  })
}, { name: 'orderly-close' })

/**
 * Ends in order on SIGINT and SIGTERM (exit code 0) and after an error that nobody caught (1); a second signal ends at once (1).
 * npm hands on the Ctrl-C that the terminal has sent us already, so what comes within a second counts as one signal.
 * Returns what ends as a first signal does. If `close` throws, the exit code is 1.
 * @param early tells of a signal that came while we were starting
 */
export function closeOnSignal (early: AbortSignal, close: () => Promise<void>, onError: (error: Error) => void): () => void {
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
  return onSignal
}
