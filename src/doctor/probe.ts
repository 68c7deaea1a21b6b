// D40, the check that asks rather than reads: without a tenant, and as an account that nobody has, every table is empty and takes no
// row. Everything happens in a transaction that is undone.
import type { SigningKeys } from '../config.ts'
import { sqlState } from '../errors.ts'
import { accountId } from '../tenancy/account.ts'
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
  return directory.undone(async ({ ask, attempt }) => {
    const found = await probeAs(attempt, tables, 'Without a tenant')
    const account = await ask('select tenancy.enter($1)', [contextOf(nobody, signing)])
      .then(() => ask<{ id: string | null }>('select tenancy.current_account() as id')).catch(refused) // no more is asked after a refusal
    if (typeof account === 'string') return [...found, notAccepted(signing)]
    if (Number(account[0]?.id) !== nobody) return [...found, 'tenancy.current_account() is not the account that was entered.']
    return [...found, ...await probeAs(attempt, tables, 'As an account that nobody has')]
  })
}

const notAccepted = (signing: SigningKeys | undefined): Found => ['The database does not accept the tenant contexts of this server.',
  signing ? 'TENANT_SIGNING_KEY may not be the one it knows: with that key set, run npm run db:migrate.' : migrate]

async function probeAs (attempt: Ask, tables: readonly string[], who: string): Promise<Found[]> {
  const found = await Promise.all(tables.flatMap(table => [
    attempt(`select 1 from ${table} limit 1`).catch(refused).then(reply => typeof reply === 'string'
      ? `${table} cannot be read (${reply}).`
      : reply.length > 0 && `${who}, rows of ${table} can be read.`),
    attempt(`insert into ${table} (account_id) values ($1)`, [somebody]).catch(refused).then(reply => reply !== '42501' &&
      `${who}, ${table} takes a row of another account (${typeof reply === 'string' ? reply : 'it was stored'}).`)
  ]))
  return found.filter(each => each !== false)
}

/** PostgreSQL's refusal, as its SQLSTATE. Whatever else goes wrong is thrown. */
function refused (error: unknown): string {
  const state = sqlState(error)
  if (state === undefined) throw error
  return state
}
