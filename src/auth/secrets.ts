// Secrets that a person or a program carries: 256 random bits, of which the database knows only a hash. They are no passwords: nobody
// can guess them, so a plain hash will do, and a lookup by it tells nothing by how long it takes.
import { hash, randomBytes } from 'node:crypto'

/** 43 characters of base64url. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** 64 hexadecimal digits. */
export const hashOf = (secret: string): string => hash('sha256', secret, 'hex')

export const isSecret = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text)
