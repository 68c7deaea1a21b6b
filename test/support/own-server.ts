// A PostgreSQL of a test's own, to be stopped, frozen and restarted; never the one that the tests share.
import { execFile } from 'node:child_process'
import { chown, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { embeddedServer } from '../../src/db/embedded.ts'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { roleNames, setUpDatabase } from '../../src/db/roles.ts'
import { furnish } from './accounts.ts'
import { dataDir } from './data-dir.ts'
import type { Owner, TestDatabase } from './database.ts'

const run = promisify(execFile)

export interface OwnServer {
  readonly database: Pick<TestDatabase, 'appUrl' | 'ownerUrl' | 'adminUrl' | 'admin' | 'lock' | 'pooled'>
  stop (mode: 'fast' | 'immediate'): Promise<void>
  start (): Promise<void>
  /** Stopped, it starts next as a standby, of nobody; until pg_promote(). */
  demote (): Promise<void>
  /** SIGSTOP to the postmaster and all its children, or to one process of the server. */
  freeze (pid?: number): Promise<void>
  /** SIGCONT to the same. */
  thaw (pid?: number): Promise<void>
}

/** Started, set up, migrated, and with accounts tenant-0 and tenant-1. It keeps what it has acknowledged, even if stopped `immediate`. */
export async function ownServer (t: Owner): Promise<OwnServer> {
  const folder = await dataDir(t)
  const { port, passwords, release } = await embeddedServer(folder)
  const url = (user: string, password: string, name = 'rowhouse') => `postgres://${user}:${password}@127.0.0.1:${port}/${name}`
  await setUpDatabase({ adminUrl: url('postgres', passwords.admin, 'postgres'), database: 'rowhouse', passwords })
  await migrateDatabase(url(roleNames.owner, passwords.owner))

  const data = join(await realpath(join(folder, 'cluster')), 'data')
  const { uid, gid } = await stat(data)
  const [postgresPath = '', ...started] = (await readFile(join(data, 'postmaster.opts'), 'utf8')).trim().split(' ')
  const bin = dirname(postgresPath)
  const control = (...args: string[]) =>
    run(join(bin, 'pg_ctl'), [...args, '-D', data, '-w', '-s', '-l', join(data, '..', 'restarted.log')], { uid, gid, cwd: '/', timeout: 60_000 })
  const postmaster = async () => Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0])
  const signal = async (name: NodeJS.Signals, pid?: number) => {
    if (pid !== undefined) {
      process.kill(pid, name)
      return
    }
    const parent = await postmaster()
    process.kill(parent, name) // first: stopped, it has no more children
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')
    for (const child of children.split(' ').filter(Boolean)) {
      try {
        process.kill(Number(child), name)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // one that has ended meanwhile needs no signal
      }
    }
  }

  const adminUrl = url('postgres', passwords.admin)
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {}, connect_timeout: 10 })
  t.teardown(async () => {
    await signal('SIGCONT').catch(() => {})
    await admin.end({ timeout: 1 })
    await release()
  })
  const database = { appUrl: url(roleNames.app, passwords.app), ownerUrl: url(roleNames.owner, passwords.owner), adminUrl, admin, lock: 'revoked' as const, pooled: false }
  await furnish(t, database, 1, 1)
  return {
    database,
    stop: async mode => { await control('stop', '-m', mode) },
    start: async () => { await control('start', '-o', started.join(' ')) }, // pg_ctl would take the port from the configuration file
    async demote () {
      const mark = join(data, 'standby.signal')
      await writeFile(mark, '')
      await chown(mark, uid, gid) // it must be able to write it
    },
    freeze: pid => signal('SIGSTOP', pid),
    thaw: pid => signal('SIGCONT', pid)
  }
}
