import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Who is refused at once asks again at once, and refusing then takes the processor from those who are served. So a refusal waits a moment:
 * a millisecond for each of the last second, a second at the most. One in a thousand has no wait; a thousand callers that never let go are
 * refused a thousand times a second, and not twenty thousand times.
 */
export function damper (): () => Promise<void> {
  let recent = 0
  let at = 0
  return async () => {
    const now = performance.now()
    recent = recent * Math.exp((at - now) / 1_000) + 1
    at = now
    await sleep(Math.min(recent, 1_000), undefined, { ref: false })
  }
}
