// A program that is measured: started, waited for, and its use of the processor and of memory read from /proc.
import { spawn } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'node:http'
import { signedIn } from './load.ts'
import { freePort } from '../test/support/free-port.ts'

export interface Program {
  readonly port: number
  readonly pid: number
  /** Milliseconds from its start to its first answer. */
  readonly readyAfter: number
  stop (): Promise<void>
}

/** Starts `node ...args` with PORT set, and waits until `path` answers 200 (of `host`). */
export async function startProgram (args: readonly string[], env: NodeJS.ProcessEnv, path: string, host = 'tenant-0.localhost'): Promise<Program> {
  const port = await freePort()
  const started = performance.now()
  const child = spawn(process.execPath, args, { env: { ...env, PORT: String(port) }, stdio: ['ignore', 'inherit', 'inherit'] })
  const kill = () => { child.kill() }
  process.once('exit', kill) // should this program end in an error
  const ended = new Promise<void>(resolve => child.once('exit', () => { process.off('exit', kill); resolve() }))
  for (const end = Date.now() + 30_000; await statusOf(port, path, host) !== 200; await sleep(5)) {
    if (child.exitCode !== null || Date.now() > end) {
      kill()
      throw new Error(`${args.join(' ')} does not start.`)
    }
  }
  return { port, pid: child.pid!, readyAfter: performance.now() - started, stop: () => { kill(); return ended } }
}

export const statusOf = (port: number, path: string, host: string) => new Promise<number | undefined>(resolve => {
  request({ port, host: '127.0.0.1', path, headers: signedIn(host, port), agent: false }, reply => {
    reply.resume()
    resolve(reply.statusCode)
  }).on('error', () => resolve(undefined)).end()
})

/** The body of one reply, to a user who is signed in. */
export const bodyOf = (port: number, path: string, host: string) => new Promise<string>((resolve, reject) => {
  request({ port, host: '127.0.0.1', path, headers: signedIn(host, port), agent: false }, async reply => {
    let body = ''
    for await (const chunk of reply.setEncoding('utf8')) body += chunk
    if (reply.statusCode === 200) resolve(body)
    else reject(new Error(`${host}${path} was answered ${reply.statusCode}: ${body.slice(0, 200)}`))
  }).on('error', reject).end()
})

const tick = 10 // ms; Linux counts a process's time in hundredths of a second

/** Milliseconds of processor time that a process and all that descend from it have used; undefined where there is no /proc. */
export async function cpuOf (pid: number): Promise<number | undefined> {
  const stats = await statsOf()
  if (!stats) return undefined
  const family = new Set([pid])
  for (let size = 0; size < family.size;) {
    size = family.size
    for (const [child, { parent }] of stats) if (family.has(parent)) family.add(child)
  }
  return [...family].reduce((sum, member) => sum + (stats.get(member)?.time ?? 0), 0)
}

async function statsOf (): Promise<Map<number, { parent: number, time: number }> | undefined> {
  const names = await readdir('/proc').catch(() => undefined)
  if (!names) return undefined
  const stats = await Promise.all(names.filter(name => /^\d+$/.test(name)).map(async name => {
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [parent, ...times] = [1, 11, 12, 13, 14].map(i => Number(fields[i])) // with those of children that have ended
    return [Number(name), { parent: parent!, time: times.reduce((sum, each) => sum + each, 0) * tick }] as const
  }))
  return new Map(stats.filter(([, { time }]) => !Number.isNaN(time)))
}

/** Megabytes that a process holds, now and at the most; undefined where there is no /proc. */
export async function memoryOf (pid: number): Promise<{ now: number, most: number } | undefined> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024
  return { now: megabytes('VmRSS'), most: megabytes('VmHWM') }
}
