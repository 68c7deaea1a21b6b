// The directory's entries of test accounts, tenant-<number>.<base domain>, kept by the owner.
import type { AccountId } from '../tenancy/account.ts'
import { connect, unreachable } from './roles.ts'

export type Hosts = Awaited<ReturnType<typeof testHosts>>

/** @throws {CommandError} if the owner cannot get in */
export async function testHosts (ownerUrl: string, baseDomain: string) {
  const sql = connect(ownerUrl)
  const hostOf = (number: number) => `tenant-${number}.${baseDomain}`
  const pattern = `^tenant-(\\d{1,9})\\.${baseDomain.replaceAll('.', '\\.')}$`
  // A host without an account is what is left of one that was interrupted.
  await sql`delete from directory d where host ~ ${pattern} and not exists (select from accounts a where a.account_id = d.account_id)`
    .catch(async error => { await sql.end(); throw unreachable('OWNER_DATABASE_URL', error) })
  return {
    /** The numbers of the test accounts that are there, ascending. */
    list: async () => (await sql`select substring(host from ${pattern})::int as number from directory where host ~ ${pattern} order by 1`).map(row => row.number as number),
    add: (number: number, id: AccountId) => sql`insert into directory (host, account_id) values (${hostOf(number)}, ${id})`,
    remove: (number: number) => sql`delete from directory where host = ${hostOf(number)}`,
    close: () => sql.end()
  }
}
