import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Config, drizzleKit } from '../config.ts'
import { openDatabase } from '../db/database.ts'

export default async function (config: Config, signal: AbortSignal): Promise<void> {
  const database = await openDatabase(config)
  try {
    const program = join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs')
    const url = database.adminUrl ?? config.adminDatabaseUrl ?? database.ownerUrl
    const studio = spawn(process.execPath, [program, 'studio'], { stdio: 'inherit', env: drizzleKit.environment(url) })
    signal.addEventListener('abort', () => studio.kill())
    await once(studio, 'exit')
  } finally {
    await database.release()
  }
}
