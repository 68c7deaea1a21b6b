// One port, several processes. This one, the primary, serves nobody: it holds the port and the embedded server, hands each new connection to
// the next process in turn (which is fair also with few connections that live long, where leaving it to the kernel is not), and
// puts another in the place of a process that has ended.
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeOnSignal } from './closing.ts'
import { type Config, type Task, processTask } from './config.ts'
import type { Database } from './db/database.ts'

/** Whoever ends so soon (ms) after it was started has not served; so often in one place, and it will not get better by itself. */
const frail = { within: 10_000, times: 5 }

/**
 * Starts the processes, the same program as this one, and sees to them until a signal comes. Returns the port once all of them listen.
 * The first one goes ahead: it looks at the walls, and if it cannot serve, it says why and that is the end.
 */
export async function oversee (config: Config, database: Pick<Database, 'appUrl' | 'release'>, signal: AbortSignal): Promise<number> {
  cluster.schedulingPolicy = cluster.SCHED_RR
  const alive = new Set<Worker>()
  const places: Promise<void>[] = []
  const closing = new AbortController()
  let serving = false
  let failed = false

  const leave = closeOnSignal(signal, async () => {
    closing.abort()
    for (const worker of alive) worker.process.kill('SIGTERM') // to one that had the terminal's Ctrl-C it is the same signal
    await Promise.all(places)
    await database.release()
    if (failed) throw new Error('exit code 1')
  }, error => console.error(error))

  function fail (why?: string): void {
    if (why) console.error(why)
    failed = true
    leave()
  }

  /** One process after the other, never two: until the one before has ended, it has its part of the connections. */
  async function keep (place: number, onListening: (port: number) => void): Promise<void> {
    let replaces: Task['replaces']
    for (let hasty = 0; !closing.signal.aborted; await pause((hasty - 1) * 1_000, closing.signal)) {
      const began = Date.now()
      const poolMax = Math.floor((config.poolMax + place) / config.processes)
      const worker = cluster.fork(processTask.environment({ config, appUrl: database.appUrl, poolMax, first: !serving, replaces }))
      alive.add(worker)
      worker.on('listening', ({ port }) => {
        serving = true
        onListening(port)
      })
      replaces = await end(worker)
      alive.delete(worker)
      const { pid, how, inOrder } = replaces
      if (closing.signal.aborted) failed ||= !inOrder
      else if (!serving) fail(how.startsWith('exit code') ? undefined : `The first process has ended: ${how}.`)
      else {
        hasty = Date.now() - began < frail.within ? hasty + 1 : 0
        if (hasty === frail.times) fail(`Processes end as soon as they are started, ${hasty} of them one after the other; the last was ${pid}: ${how}.`)
      }
    }
  }

  const begin = (place: number) => new Promise<number>(resolve => places.push(keep(place, resolve)))
  const port = await begin(0)
  await Promise.all(Array.from({ length: config.processes - 1 }, (_, i) => begin(i + 1)))
  return port
}

const end = (worker: Worker) => new Promise<NonNullable<Task['replaces']>>(resolve => {
  const { pid } = worker.process
  worker.on('exit', (code: number | null, signal: string | null) => {
    // by these two it ends only before it listens for them
    resolve({ pid, how: signal ?? `exit code ${code}`, inOrder: code === 0 || signal === 'SIGTERM' || signal === 'SIGINT' })
  })
  worker.on('error', error => { // otherwise of a message that did not arrive: the exit tells
    if (pid === undefined) resolve({ pid, how: error.message, inOrder: false })
  })
})

const pause = (ms: number, signal: AbortSignal) => ms > 0 ? sleep(ms, undefined, { signal }).catch(() => {}) : undefined
