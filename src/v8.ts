// How V8 is told to run a process that serves. All was measured, as processor time of Node for a listing.
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

/**
 * Lets V8 optimise what makes objects of a class such as postgres.js's results and queries are of: one that extends a class of the language, and
 * has a static getter. V8 keeps the constructor of such a class as a dictionary, compiles its call of super() as if it were not one, finds in the
 * end that it must not, and begins again, ten times a second (--trace-compilation-dependencies: StableMapDependency). One that has itself been
 * extended is not kept so: a seventh less.
 */
export const letOptimise = (constructor: Function): Function => class extends (constructor as new () => object) {}
