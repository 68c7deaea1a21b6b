// How a server goes without failing a request: it says so, sees its connections off one by one, and hangs up on what is left.
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'

/** Milliseconds. Both count from the signal. */
const patience = { listening: 1_000, all: 10_000 }

/**
 * Returns what closes the server. First every reply becomes its connection's last, while whoever comes is still served, up to a second:
 * hanging up on a connection between two requests would fail the one that is on its way. Then nobody new is let in. After ten seconds
 * what is left is cut off.
 */
export function orderlyClose (app: FastifyInstance): () => Promise<void> {
  const open = new Set<ServerResponse>()
  let leaving = false
  const isLast = (response: ServerResponse) => { if (!response.headersSent) response.setHeader('connection', 'close') }

  app.server.prependListener('request', (_, response) => {
    if (leaving) return isLast(response)
    open.add(response)
    response.on('close', () => open.delete(response))
  })

  const connections = () => new Promise<number>((resolve, reject) => {
    app.server.getConnections((error, n) => error ? reject(error) : resolve(n))
  })

  return async () => {
    leaving = true
    const started = Date.now()
    open.forEach(isLast)
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
  }
}

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
