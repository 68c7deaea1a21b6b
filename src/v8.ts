// How V8 is told to run a process that serves. Both were measured, as processor time of Node for a listing.
import { setFlagsFromString } from 'node:v8'

/** For a process that has begun to serve: what it optimises while it starts would take more room for it, and longer. */
export function tuneV8 (): void {
  // After eight quiet seconds the memory reducer would collect garbage, and with the last objects of a shape goes the code that had been
  // optimised for it. What came next took up to three times as long, for about six seconds. An idle process keeps some 25 MB for it.
  setFlagsFromString('--no-memory-reducer')
  // A request goes through many small functions, more than V8 puts into each other unless it is allowed to: a twentieth to a tenth less, and
  // fewer of its objects outlive it.
  setFlagsFromString('--max-inlined-bytecode-size=2000') // 460
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=6000') // 920
}
