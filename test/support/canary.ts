// Canaries: text that says whose it is. Where one turns up in another account's hands, or in a log, something has leaked.
import { randomBytes } from 'node:crypto'

/** Cannot be guessed, and differs from run to run: what bears it was read from this run's data. */
const secret = randomBytes(5).toString('hex')
let made = 0

/** Text of this account's, unlike any other. Lower case, as an e-mail address has to be. */
export const canary = (account: number): string => `cnry_${account}_${secret}_${++made}`

/** Every canary in a text that is not this account's; of anybody's, if there is no account. */
export function foreignCanaries (text: string, account?: number): string[] {
  return [...text.matchAll(/cnry_(\d+)_[0-9a-f]+_\d+/gi)].filter(([, owner]) => Number(owner) !== account).map(([found]) => found)
}
