// The embedded server: a real PostgreSQL in .data/, for trying, developing and testing. Several commands may use it at once: each
// holds a lease (a file named by its process id), and the last one out stops the server.
import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { access, chown, constants, mkdir, open, readFile, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import lockfile from 'proper-lockfile'
import { CommandError } from '../errors.ts'
import { type OsUser, majorVersion, postgresPrograms, program, reachable } from './binaries.ts'

const run = promisify(execFile)

export interface Passwords { readonly admin: string, readonly owner: string, readonly app: string }

export interface EmbeddedServer {
  readonly port: number
  readonly passwords: Passwords
  /** True if this call started it; false if it was running. */
  readonly started: boolean
  /** Gives up the lease. The last holder stops the server, and waits until it has stopped. */
  release (): Promise<void>
}

/** Only for data that nobody will miss, as in tests: nothing is forced to disk, and no space is won back. */
const throwaway = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off', '-c', 'autovacuum=off']

export interface EmbeddedOptions {
  /** False: for data that nobody will miss. */
  readonly durable?: boolean
  /** A folder with bin/, lib/ and share/: other programs than those from npm. */
  readonly programs?: string | undefined
}

/**
 * Finds the server of this data folder running, or starts it; the first time, creates it.
 * @throws {CommandError} if the folder cannot be used or the server does not start
 */
export async function embeddedServer (dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  await usable(dataDir)
  return exclusively(dataDir, async () => {
    const place = await home(dataDir)
    const data = join(place.folder, 'data')
    const programs = options.programs ?? await postgresPrograms(place.user, place.copies)
    const secrets = await create(dataDir, place, programs, data)

    let port = await runningPort(data)
    const started = port === undefined
    if (port === undefined) {
      port = await freePort(secrets.port)
      await start(port)
      if (port !== secrets.port) await writePrivate(secretsFile(dataDir), JSON.stringify({ ...secrets, port }))
    }
    const lease = join(dataDir, 'leases', String(process.pid))
    await mkdir(join(dataDir, 'leases'), { recursive: true })
    await writeFile(lease, '')
    return { port, passwords: secrets.passwords, started, release }

    // Our own child rather than pg_ctl's, so that it is reaped where nothing else does so (in a container without an init process);
    // in a session of its own, so that Ctrl-C reaches us and not it.
    async function start (port: number): Promise<void> {
      const log = await open(join(place.folder, 'server.log'), 'w')
      const server = spawn(join(programs, 'bin', program('postgres')), [
        '-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=',
        ...options.durable === false ? throwaway : []
      ], { ...place.user, cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] })
      server.on('error', () => {}) // then it has no exit code, and the loop below ends
      server.unref()
      await log.close()
      for (const end = Date.now() + 60_000; !await isReady(data); await setTimeout(20)) {
        if (server.pid === undefined || server.exitCode !== null || Date.now() > end) throw await whyNot(join(place.folder, 'server.log'))
      }
    }

    function release (): Promise<void> {
      return exclusively(dataDir, async () => {
        await rm(lease, { force: true })
        for (const holder of await readdir(join(dataDir, 'leases'))) {
          if (await isAlive(Number(holder))) return
          await rm(join(dataDir, 'leases', holder), { force: true })
        }
        if (await runningPort(data) === undefined) return
        await run(join(programs, 'bin', program('pg_ctl')), ['stop', '-D', data, '-w', '-t', '60', '-m', 'fast'], { ...place.user, cwd: '/' })
      })
    }
  })
}

async function usable (dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true })
    await access(dataDir, constants.W_OK)
  } catch (error) {
    throw new CommandError(`The data folder ${dataDir} is not writable (${(error as NodeJS.ErrnoException).code}). Set DATA_DIR to one that is.`)
  }
}

/** One process at a time looks, starts and stops. A lock whose holder died is taken over after ten seconds. */
async function exclusively<T> (dataDir: string, work: () => Promise<T>): Promise<T> {
  const unlock = await lockfile.lock(dataDir, {
    lockfilePath: join(dataDir, 'lock'), stale: 10_000, retries: { retries: 150, factor: 1, minTimeout: 200, maxTimeout: 200 }
  }).catch(error => {
    throw new CommandError(`The data folder ${dataDir} is in use: another command has been starting or stopping its server for half a minute.`, { cause: error })
  })
  try { return await work() } finally { await unlock() }
}

interface Place { readonly folder: string, readonly copies: string, readonly user: OsUser }

/**
 * Where the server's files are and who runs it. PostgreSQL refuses to run as root, so for root it runs as the user `postgres`; if that
 * one cannot enter the data folder (root's home, say), the files lie in /var/lib/rowhouse, and the data folder links to them.
 */
async function home (dataDir: string): Promise<Place> {
  const folder = join(dataDir, 'cluster')
  if (process.getuid?.() !== 0) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return { folder, copies: dataDir, user: {} }
  }
  const present = await stat(folder).catch(() => undefined)
  const user = present && present.uid !== 0 ? { uid: present.uid, gid: present.gid } : await postgresUser()
  const outside = '/var/lib/rowhouse'
  if (!present) {
    const inside = await reachable(dataDir, user)
    const target = inside ? folder : join(outside, createHash('sha256').update(dataDir).digest('hex').slice(0, 12))
    if (!inside) await rm(target, { recursive: true, force: true }) // of a data folder that was at this path and has been deleted
    await mkdir(target, { recursive: true })
    if (!inside) {
      await rm(folder, { force: true }) // a link whose target is gone
      await symlink(target, folder)
    }
  }
  await chown(folder, user.uid!, user.gid!)
  return { folder: await realpath(folder), copies: outside, user } // by way of the link, that user could not enter
}

async function postgresUser (): Promise<OsUser> {
  const ids = async () => {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async flag => Number((await run('id', [flag, 'postgres'])).stdout)))
    return { uid: uid!, gid: gid! }
  }
  return ids().catch(async () => {
    await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'])
    return ids()
  }).catch(error => {
    throw new CommandError('PostgreSQL does not run as root, and the user "postgres" could not be created. Create it, or run as an ordinary user.', { cause: error })
  })
}

interface Secrets { readonly passwords: Passwords, readonly port: number }

const secretsFile = (dataDir: string) => join(dataDir, 'secrets.json')
const writePrivate = (path: string, text: string) => writeFile(path, text, { mode: 0o600 })

/** Creates the cluster if there is none. Passwords are random and stay in the data folder. */
async function create (dataDir: string, place: Place, programs: string, data: string): Promise<Secrets> {
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined)
  const major = await majorVersion(programs, place.user)
  if (version !== undefined) {
    if (Number(version) !== major) throw new CommandError(`The data folder ${dataDir} is of PostgreSQL ${version.trim()}; this is ${major}. Set DATA_DIR to another folder.`)
    const text = await readFile(secretsFile(dataDir), 'utf8').catch(() => {
      throw new CommandError(`The data folder ${dataDir} has a server but no secrets.json. Delete the folder to start anew.`)
    })
    return JSON.parse(text) as Secrets
  }
  const password = () => randomBytes(18).toString('base64url')
  const secrets: Secrets = { passwords: { admin: password(), owner: password(), app: password() }, port: 54320 }
  await writePrivate(secretsFile(dataDir), JSON.stringify(secrets))
  const passwordFile = join(place.folder, 'initdb-password')
  await writePrivate(passwordFile, secrets.passwords.admin)
  if (place.user.uid !== undefined) await chown(passwordFile, place.user.uid, place.user.gid!)
  await rm(data, { recursive: true, force: true }) // what an interrupted initdb left
  await run(join(programs, 'bin', program('initdb')), [
    '-D', data, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--no-sync',
    ...major >= 17 // before, C.UTF-8 is the operating system's, which is the same wherever there is one
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '-c', 'timezone=UTC', '-c', 'log_timezone=UTC']
      : ['--locale=C.UTF-8']
  ], { ...place.user, cwd: '/' }).catch(error => {
    throw new CommandError(`The embedded PostgreSQL could not be created in ${dataDir}: ${String(error.stderr).trim().split('\n').pop()}`, { cause: error })
  }).finally(() => rm(passwordFile, { force: true }))
  return secrets
}

// postmaster.pid, line by line: process id, data folder, start time, port, socket folder, address, shared memory, status
const pidFile = (data: string) => readFile(join(data, 'postmaster.pid'), 'utf8').then(text => text.split('\n'), () => undefined)

const isReady = async (data: string) => (await pidFile(data))?.[7]?.trim() === 'ready'

/** The port of the server that runs on this data; undefined if none does. A pid file that a crash left is recognised and removed. */
async function runningPort (data: string): Promise<number | undefined> {
  const lines = await pidFile(data)
  if (!lines) return undefined
  if (await isAlive(Number(lines[0]), 'postgres')) return Number(lines[3])
  await rm(join(data, 'postmaster.pid')) // PostgreSQL would take any living process with that number for a server
  return undefined
}

async function whyNot (log: string): Promise<CommandError> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n')
  return new CommandError(`The embedded PostgreSQL does not start: ${lines.filter(line => /FATAL|PANIC/.test(line)).pop() ?? lines.pop()} (its log: ${log})`)
}

/** Does a process with this number live, and, if a name is given, is it called so? One that has ended but was not reaped does not. */
async function isAlive (pid: number, name = ''): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false // EPERM: alive, and somebody else's
  }
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
    .catch(() => run('ps', ['-p', String(pid), '-o', 'comm=,state=']).then(({ stdout }) => stdout, () => ''))
  return !/^State:\s+Z|\sZ\S*\s*$/m.test(status) && status.includes(name)
}

const freePort = (wish: number): Promise<number> => new Promise((resolve, reject) => {
  const probe = createServer()
  probe.once('error', () => wish === 0 ? reject(new CommandError('There is no free port on 127.0.0.1.')) : resolve(freePort(0)))
  probe.listen(wish, '127.0.0.1', () => {
    const { port } = probe.address() as { port: number }
    probe.close(() => resolve(port))
  })
})
