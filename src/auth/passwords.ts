// Passwords: argon2id in OWASP's parameters, which are the library's defaults, too. A hash takes 19 MiB and a core for some hundredths of a
// second, so no more than two are made at once, few may wait, and nobody holds a connection of the database meanwhile.
import { tracingChannel } from 'node:diagnostics_channel'
import { availableParallelism } from 'node:os'
import { hash, parseOptions, verify } from '@node-rs/argon2'
import pLimit from 'p-limit'
import { AppError } from '../errors.ts'
import { commonPasswords } from './common-passwords.ts'

const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const argon2id = 2 // Algorithm.Argon2id, which is a type's only
const waiting = 32
/** In code points: what people call characters, more or less. */
const length = { min: 8, max: 128 }

/** Hears of each hash when it begins and when it is done. */
export const hashing = tracingChannel('rowhouse.hashing')

const limit = pLimit(1)

/** Of one process: two of all together, if a core is left to whoever has signed in already. None can do with less than one. */
export const hashesAtOnce = (cores: number, processes: number): number => Math.max(1, Math.floor(Math.min(2, cores - 1) / processes))

/** Tells this process how many it is one of. */
export function shareCores (processes: number): void {
  limit.concurrency = hashesAtOnce(availableParallelism(), processes)
}

/** @throws {AppError} too_many_requests, before anything is hashed */
async function inTurn<T> (work: () => Promise<T>): Promise<T> {
  if (limit.pendingCount >= waiting) throw new AppError('too_many_requests', { headers: { 'retry-after': '2' } })
  return limit(() => hashing.tracePromise(work))
}

/** Of a password that mayBePassword() does not mind. @throws {AppError} too_many_requests */
export const hashPassword = (password: string): Promise<string> => inTurn(() => hash(password, parameters))

/** Nobody's. What is compared with where there is nothing to compare with, so that it takes the same time. */
const nobodys = hash('', parameters)

export interface Verdict {
  readonly right: boolean
  /** The same password's hash in today's parameters, if the stored one is in others. */
  readonly renewed?: string
}

/**
 * Whether this is the password. Takes one hash, whatever comes out.
 * @param stored undefined if there is nobody whose password it could be
 * @throws {AppError} too_many_requests, before anything is hashed
 */
export async function checkPassword (password: string, stored: string | undefined): Promise<Verdict> {
  const possible = stored !== undefined && isHash(stored) && [...password].length <= length.max
  const reference = possible ? stored : await nobodys
  const right = await inTurn(() => verify(reference, possible ? password : 'x')) && possible
  return right && isOutdated(stored) ? { right, renewed: await hashPassword(password) } : { right }
}

/** False if something has become of the row; then no password is right. */
function isHash (stored: string): boolean {
  try {
    return parseOptions(stored).memoryCost > 0
  } catch {
    return false
  }
}

function isOutdated (stored: string): boolean {
  const used = parseOptions(stored)
  return used.algorithm !== argon2id || Object.entries(parameters).some(([name, value]) => used[name as keyof typeof parameters] !== value)
}

/** Why this may not become somebody's password, in one sentence; undefined if it may. Whatever else it is made of is theirs to choose. */
export function whyNotPassword (password: string, email = ''): string | undefined {
  const { length: size } = [...password]
  if (size < length.min || size > length.max) return `A password has ${length.min} to ${length.max} characters.`
  if (/[\0\p{Cs}]/u.test(password)) return 'A password is text, and this contains what is none.'
  const plain = password.toLowerCase()
  if (commonPasswords.has(plain) || /^(.)\1*$/su.test(plain)) return 'This is one of the passwords that are tried first. Choose another one.'
  if (plain === email.toLowerCase() || plain === email.toLowerCase().split('@')[0]) return 'The e-mail address is no password: everybody knows it. Choose another one.'
}
