import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for what comes by itself a little later; what is expected of it, the caller then looks at. */
export async function until (met: () => boolean, patience = 2_000): Promise<void> {
  for (const end = Date.now() + patience; !met() && Date.now() < end;) await sleep(5)
}
