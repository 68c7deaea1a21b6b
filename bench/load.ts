// HTTP load, from a process of its own: keep-alive connections, each asking for accounts in an order of its own, drawn at random.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { asSignedIn } from '../test/support/signed-in.ts'

export interface Load {
  readonly port: number
  readonly path: string
  /** Accounts to ask for, tenant-<n>, each as often as any other. */
  readonly accounts: readonly number[]
  readonly connections: number
  readonly seconds: number
  /** Seconds before, in which connections are opened, and what is answered is not counted; none unless given. */
  readonly before?: number
  /** What is posted, as a form of the account's own page; nothing is, unless given. */
  readonly form?: string
}

export interface Answered {
  /** Good answers a second. */
  readonly rate: number
  /** Milliseconds that a good answer took: the median, and what 99 of 100 stayed below. */
  readonly p50: number
  readonly p99: number
  /** How many answers of each status; `lost` for connections that broke, or were not answered in time. */
  readonly statuses: Record<string, number>
  /** The median of refusals, in milliseconds. */
  readonly refusedIn?: number
}

/** What the browser of a signed-in user sends. */
export const signedIn = (host: string, port: number) => ({ host: `${host}:${port}`, ...asSignedIn(host) })

const posted = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }

const self = fileURLToPath(import.meta.url)

export function load (options: Load): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const child = fork(self, { stdio: 'inherit' })
    child.once('message', answered => { resolve(answered as Answered); child.disconnect() })
    child.once('exit', code => reject(new Error(`The load ended with code ${code}.`)))
    child.send(options)
  })
}

async function shoot ({ port, path, accounts, connections, seconds, before = 0, form }: Load): Promise<Answered> {
  const good: number[] = []
  const refused: number[] = []
  const statuses: Record<string, number> = {}
  const start = performance.now() + before * 1_000
  const { errors, timeouts, duration } = await new Promise<autocannon.Result>((resolve, reject) => {
    autocannon({
      url: `http://127.0.0.1:${port}`,
      connections,
      duration: before + seconds,
      setupClient (client) {
        client.setRequests(shuffled(accounts).slice(0, Math.max(5, 5_000 / connections)).map(n => {
          const headers = signedIn(`tenant-${n}.localhost`, port)
          return form === undefined ? { path, headers } : { path, method: 'POST', body: form, headers: { ...headers, ...posted } }
        }))
      }
    }, (error, result) => error ? reject(error) : resolve(result)).on('response', (_client, status, _bytes, time) => {
      if (performance.now() < start) return
      statuses[status] = (statuses[status] ?? 0) + 1
      ;(status === 200 ? good : refused).push(time)
    })
  })
  if (errors + timeouts > 0) statuses.lost = errors + timeouts
  const at = (times: number[], share: number) => times.sort((a, b) => a - b)[Math.floor(times.length * share)] ?? NaN
  const rate = good.length / (duration - before)
  return {
    rate, p50: at(good, 0.5), p99: at(good, 0.99), statuses, ...refused.length > 0 && { refusedIn: at(refused, 0.5) }
  }
}

function shuffled<T> (list: readonly T[]): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j]!, copy[i]!]
  }
  return copy
}

if (process.argv[1] === self) process.once('message', async options => process.send!(await shoot(options as Load)))
