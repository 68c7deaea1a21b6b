// D40, the check that asks rather than reads: without a tenant, and as an account that nobody has, every table is empty and takes no
// row. Everything happens in a transaction that is undone.
import type { SigningKeys } from '../config.ts'
import { sqlState } from '../errors.ts'
import { type AccountId, accountId } from '../tenancy/account.ts'
import { contextOf } from '../tenancy/context.ts'
import type { Ask, Directory } from '../tenancy/directory.ts'
import { type Check, type Found, migrate } from './check.ts'

export const probe: Omit<Check, 'find'> = {
  id: 'D40',
  severity: 'critical',
  title: 'Without a tenant, and as an account that nobody has, every table is empty and takes no row',
  mend: migrate
}

const nobody = accountId(Number.MAX_SAFE_INTEGER - 1) // accounts are numbered from 1
const somebody = accountId(Number.MAX_SAFE_INTEGER)

/** @param tables those that are there */
export function probeWalls (directory: Pick<Directory, 'undone'>, tables: readonly string[], signing: SigningKeys | undefined): Promise<Found[]> {
  return directory.undone(async ask => {
    const found = await probeAs(ask, tables, 'Without a tenant')
    try {
      await ask('savepoint entered')
      await ask('select tenancy.enter($1)', [contextOf(nobody, signing)])
      const [row] = await ask<{ account: string | null }>('select tenancy.current_account() as account')
      if (Number(row?.account) !== nobody) return [...found, 'tenancy.current_account() is not the account that was entered.']
    } catch (error) {
      if (sqlState(error) === undefined) throw error
      await ask('rollback to savepoint entered')
      return [...found, ['The database does not accept the tenant contexts of this server.',
        signing ? 'TENANT_SIGNING_KEY may not be the one it knows: with that key set, run npm run db:migrate.' : migrate] as const]
    }
    return [...found, ...await probeAs(ask, tables, 'As an account that nobody has')]
  })
}

async function probeAs (ask: Ask, tables: readonly string[], who: string): Promise<Found[]> {
  const attempts = await Promise.all(tables.flatMap(table => [
    attempt(ask, `select 1 from ${table} limit 1`).then(({ rows, state }) => rows ? `${who}, rows of ${table} can be read.` : state && `${table} cannot be read (${state}).`),
    attempt(ask, `insert into ${table} (account_id) values ($1)`, [somebody])
      .then(({ state }) => state === '42501' ? undefined : `${who}, ${table} takes a row of another account (${state ?? 'it was stored'}).`)
  ]))
  return attempts.filter(found => found !== undefined)
}

/** Runs a statement and undoes it, all in one flush with those before and behind it. */
async function attempt (ask: Ask, text: string, values: AccountId[] = []): Promise<{ rows: number, state: string | undefined }> {
  const [, reply] = await Promise.allSettled([ask('savepoint probe'), ask(text, values), ask('rollback to savepoint probe')])
  if (reply.status === 'fulfilled') return { rows: reply.value.length, state: undefined }
  const state = sqlState(reply.reason)
  if (state === undefined) throw reply.reason
  return { rows: 0, state }
}
