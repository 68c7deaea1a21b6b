// A place in an ordered list, as a client carries it: opaque, and good for this account and this list only.
import { hash, hkdfSync, timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { AccountId } from './account.ts'

/** Values of the columns that a list is ordered by, as PostgreSQL wrote them. */
export type Spot = readonly (string | number | boolean)[]

export interface Cursors {
  /** @param list says which list it is: table, order, filter, and the filter's values */
  write (account: AccountId, list: string, spot: Spot): string
  /** @throws {AppError} cursor_invalid if it is not one that was written for this account and this list */
  read (account: AccountId, list: string, cursor: string): Spot
}

const length = 22 // characters of the signature: nobody can guess one of 2^132, nor go on hashing from the half of a hash

/** @param url the app role's: its password is the one secret that all processes share, and no others have */
export function createCursors (url: string): Cursors {
  const key = Buffer.from(hkdfSync('sha256', new URL(url).password, '', 'rowhouse cursor', 32)).toString('base64url')
  const sign = (account: AccountId, list: string, text: string) =>
    hash('sha256', `${key}${account} ${list} ${text}`, 'base64url').slice(0, length) // a tenth of the time of an Hmac object, on every page
  return {
    write (account, list, spot) {
      const text = JSON.stringify(spot)
      return sign(account, list, text) + encoded(text)
    },
    read (account, list, cursor) {
      const [signature, rest] = [cursor.slice(0, length), cursor.slice(length)]
      const text = Buffer.from(rest, 'base64url').toString()
      const whole = signature.length === length && encoded(text) === rest // the decoder passes over what it cannot read
      if (!whole || !timingSafeEqual(Buffer.from(signature), Buffer.from(sign(account, list, text)))) throw new AppError('cursor_invalid')
      return JSON.parse(text)
    }
  }
}

const encoded = (text: string) => Buffer.from(text).toString('base64url')
