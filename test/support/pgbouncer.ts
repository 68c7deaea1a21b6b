// PgBouncer in transaction mode, before a server. It refuses to run as root: then it runs as the user `postgres`.
import { execFile, spawn } from 'node:child_process'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'

const run = promisify(execFile)

/** Enough to find it again from another process, and to know it for ours. */
export interface Pooler { readonly pid: number, readonly port: number, readonly folder: string, readonly program: string }

export interface PoolerOptions {
  /** Where PgBouncer's program is. */
  readonly program: string
  /** The server, as a URL; of it, host and port are used. */
  readonly target: string
  /** Who may come in, to any database, and with what password; the same is used for the server. */
  readonly users: Record<string, string>
  readonly settings?: Record<string, string | number>
}

/** The user of PgBouncer's own database `pgbouncer`, whom it obeys: PAUSE, RESUME. Its password is one of the `users`. */
export const consoleUser = 'rowhouse_test_console'

export async function startPgBouncer ({ program, target, users, settings = {} }: PoolerOptions): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), 'rowhouse-pgbouncer-'))
  const { hostname, port: serverPort } = new URL(target)
  const port = await freePort()
  const values = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users'),
    admin_users: consoleUser,
    pool_mode: 'transaction',
    default_pool_size: 10,
    max_client_conn: 500,
    server_idle_timeout: 5, // each test has a database, and so a pool, of its own
    server_login_retry: 1,
    logfile: join(folder, 'log'),
    pidfile: '',
    ...settings
  }
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${value}`)
  await writeFile(join(folder, 'ini'), ['[databases]', `* = host=${hostname} port=${serverPort}`, '[pgbouncer]', ...lines, ''].join('\n'))
  await writeFile(join(folder, 'users'), Object.entries(users).map(([name, password]) => `"${name}" "${password}"\n`).join(''), { mode: 0o600 })
  const user = await ordinaryUser()
  if (user) for (const path of [folder, join(folder, 'ini'), join(folder, 'users')]) await chown(path, user.uid, user.gid)
  return launch({ folder, port, program })
}

/** Starts one that was stopped again, on the same port. */
export async function launch ({ folder, port, program }: Omit<Pooler, 'pid'>): Promise<Pooler> {
  const child = spawn(program, [join(folder, 'ini')], { ...await ordinaryUser(), cwd: '/', detached: true, stdio: 'ignore' })
  child.on('error', () => {}) // then it has no process id
  child.unref()
  for (const end = Date.now() + 20_000; !await answers(port); await sleep(20)) {
    if (child.pid === undefined || child.exitCode !== null || Date.now() > end) {
      throw new Error(`PgBouncer does not start: ${await readFile(join(folder, 'log'), 'utf8').catch(error => error)}`)
    }
  }
  return { pid: child.pid!, port, folder, program }
}

/** Ends it at once, with every connection; one that has ended already, and whose number another process may have, is let be. */
export async function kill ({ pid, folder }: Pooler): Promise<void> {
  const runs = async () => {
    const { stdout } = await run('ps', ['-p', String(pid), '-o', 'stat=,args=']).catch(() => ({ stdout: '' }))
    return stdout.includes(folder) && !stdout.startsWith('Z')
  }
  if (await runs()) process.kill(pid, 'SIGTERM')
  for (const end = Date.now() + 10_000; await runs(); await sleep(20)) if (Date.now() > end) throw new Error(`PgBouncer (${pid}) does not end.`)
}

export async function stopPgBouncer (pooler: Pooler): Promise<void> {
  await kill(pooler)
  await rm(pooler.folder, { recursive: true, force: true })
}

export const throughPooler = (url: string, { port }: Pooler): string => Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href

async function ordinaryUser (): Promise<{ uid: number, gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async flag => Number((await run('id', [flag, 'postgres'])).stdout)))
  return { uid: uid!, gid: gid! }
}

const answers = (port: number) => new Promise<boolean>(resolve => {
  const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
  socket.on('error', () => resolve(false))
})
