import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for what comes by itself a little later. Resolves to whether it came. */
export async function until (met: () => boolean | Promise<boolean>, patience = 2_000): Promise<boolean> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(5)) if (await met()) return true
  return await met()
}
