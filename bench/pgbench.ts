// What the database can do with the same transaction, asked by PostgreSQL's own client in C: with both walls, and with none.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { planning } from '../src/db/roles.ts'
import { statement } from './contenders/sql.ts'
import type { Options } from './measure.ts'
import type { Scene } from './scene.ts'

const run = promisify(execFile)

/** Transactions a second; undefined if pgbench is not installed. */
export async function pgbench ({ main }: Scene, { accounts, seconds }: Options): Promise<Record<string, number> | undefined> {
  const found = await run('pgbench', ['--version']).catch(() => undefined)
  if (!found) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'rowhouse-bench-'))
  try {
    const page = statement.replaceAll('$1', ':account').replaceAll('$2', '10').replaceAll('$3', '0').replace(/\s+/g, ' ').trim()
    const shoot = async (name: string, url: string, lines: string[]) => {
      const file = join(folder, name)
      await writeFile(file, [`\\set account random(1, ${accounts})`, '\\startpipeline', ...lines, '\\endpipeline', ''].join('\n'))
      const { stdout } = await run('pgbench', ['-n', '-M', 'prepared', '-c', '10', '-T', String(seconds * 2), '-f', file, url])
      return Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
    }
    const planned = encodeURIComponent(Object.entries(planning).map(([name, value]) => `-c ${name}=${value}`).join(' ')) // as the app role has it
    return {
      'both walls': await shoot('walls', main.appUrl, ['begin read only;', 'select tenancy.enter(:account::text);', `${page};`, 'commit;']),
      'no walls': await shoot('none', `${main.adminUrl}?options=${planned}`, [`${page};`])
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
