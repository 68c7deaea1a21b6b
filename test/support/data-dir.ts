import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Owner } from './database.ts'

/**
 * A data folder for an embedded server, gone when the test ends, wherever the server's files are.
 * @param mode 0o700: as in root's home, only who runs the test can enter it
 */
export async function dataDir (t: Owner, mode = 0o755): Promise<string> {
  await mkdir('.data', { recursive: true })
  const folder = await mkdtemp(join(process.cwd(), '.data', 'test-'))
  await chmod(folder, mode)
  t.teardown(async () => {
    await rm(await realpath(join(folder, 'cluster')).catch(() => folder), { recursive: true, force: true })
    await rm(folder, { recursive: true, force: true })
  })
  return folder
}
