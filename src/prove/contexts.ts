// Who asks: two made-up accounts, and every way of being neither. `me` is the stranger, `them` the account whose rows it is after.
import { randomBytes, randomInt } from 'node:crypto'
import type { SigningKeys } from '../config.ts'
import { type AccountId, accountId } from '../tenancy/account.ts'
import { sign } from '../tenancy/context.ts'

export const contextNames = ['other tenant', 'no tenant', 'empty', 'garbage', 'forged', 'expired', 'replayed'] as const
export type ContextName = typeof contextNames[number]

/** @property value of app.current_tenant; null where it has never been set on the connection */
export interface Context { readonly name: ContextName, readonly value: string | null }

export interface Cast {
  readonly me: AccountId
  readonly them: AccountId
  readonly signed: boolean
  /** What the database takes for this account, for an hour. */
  readonly contextOf: (account: AccountId) => string
  readonly contexts: readonly Context[]
  /** The context of `them` that is valid now and for a second, and is tried again after that. Without signing: a string like it. */
  readonly replayed: string
  /** When it expires, in seconds since 1970. */
  readonly replayedUntil: number
}

const hour = 3_600

/** @param now when the present transaction began, by the server's clock: in it, `replayed` is valid however long it takes */
export function castFor (now: number, signing: SigningKeys | undefined): Cast {
  const [me, them] = madeUp()
  const key = signing?.current ?? randomBytes(32).toString('hex') // where nothing is signed: nobody's
  const soon = now + hour
  const contextOf = (account: AccountId) => signing ? sign(account, key, soon) : String(account)
  const replayedUntil = signing ? now + 1 : now - 1
  const replayed = sign(them, key, replayedUntil)
  const borrowed = sign(me, key, soon).replace(String(me), String(them))
  return {
    me,
    them,
    signed: signing !== undefined,
    contextOf,
    replayed,
    replayedUntil,
    contexts: [
      { name: 'no tenant', value: null },
      { name: 'other tenant', value: contextOf(me) },
      { name: 'empty', value: '' },
      { name: 'garbage', value: `${them};--` },
      { name: 'forged', value: `${them}.${soon}.${'0'.repeat(64)}` },
      ...signing ? [{ name: 'forged', value: borrowed } as const] : [],
      { name: 'expired', value: sign(them, key, 0) },
      { name: 'replayed', value: replayed }
    ]
  }
}

/** Just below 2^53, where no account is that was numbered from 1; whether none is there all the same is looked up before use. */
function madeUp (): [AccountId, AccountId] {
  const me = accountId(Number.MAX_SAFE_INTEGER - randomInt(2 ** 40))
  return [me, accountId(me - 1)]
}
