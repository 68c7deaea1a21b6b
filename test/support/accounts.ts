// Accounts with known data and a host, as createtestdata would leave them.
import type { Test } from 'tap'
import { type AccountData, generateAccount, writeAccount } from '../../src/testdata/generate.ts'
import { accountId } from '../../src/tenancy/account.ts'
import { type TestDatabase, testTenancy } from './database.ts'

const one = { min: 1, max: 1 }

/** @param subtasks how many each account gets; account n is reached at tenant-<n>.localhost and has the id n + 1 */
export async function furnish (t: Test, database: Pick<TestDatabase, 'admin' | 'appUrl' | 'lock'>, ...subtasks: number[]): Promise<AccountData[]> {
  const tenancy = testTenancy(t, database)
  return Promise.all(subtasks.map(async (n, number) => {
    const amounts = { users: one, projects: one, tasks: one, subtasks: { min: n, max: n } }
    const data = generateAccount(7, number, amounts, 'not a hash')
    await database.admin`insert into directory (host, account_id) values (${`tenant-${number}.localhost`}, ${number + 1})`
    await tenancy.withTenant(accountId(number + 1), tenant => writeAccount(tenant, data))
    return data
  }))
}
