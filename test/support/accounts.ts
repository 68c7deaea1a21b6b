// Accounts with known data and a host, as createtestdata would leave them; but every text bears its account's canary.
import { type AccountData, generateAccount, writeAccount } from '../../src/testdata/generate.ts'
import { accountId } from '../../src/tenancy/account.ts'
import { canary } from './canary.ts'
import { type Owner, type TestDatabase, testTenancy } from './database.ts'

const one = { min: 1, max: 1 }

/** @param subtasks how many each account gets; account n is reached at tenant-<n>.localhost and has the id n + 1 */
export async function furnish (t: Owner, database: Pick<TestDatabase, 'admin' | 'appUrl' | 'lock' | 'pooled'>, ...subtasks: number[]): Promise<AccountData[]> {
  const tenancy = testTenancy(t, database)
  return Promise.all(subtasks.map(async (n, number) => {
    const amounts = { users: one, projects: one, tasks: one, subtasks: { min: n, max: n } }
    const data = marked(generateAccount(7, number, amounts, 'not a hash'), canary(number + 1))
    await database.admin`insert into directory (host, account_id) values (${`tenant-${number}.localhost`}, ${number + 1})`
    await tenancy.withTenant(accountId(number + 1), tenant => writeAccount(tenant, data))
    return data
  }))
}

/** Equal texts stay equal, so that what is sorted by one is still sorted by the next. The slug is part of the host name, and stays. */
function marked (data: AccountData, mark: string): AccountData {
  const mayBear = (name: string, value: unknown) => typeof value === 'string' && !['slug', 'id', 'role'].includes(name) && !name.endsWith('Id')
  const bearing = (row: object) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, mayBear(name, value) ? `${value} ${mark}` : value]))
  const all = Object.entries(data).map(([table, rows]) => [table, Array.isArray(rows) ? rows.map(bearing) : bearing(rows)])
  return Object.fromEntries(all) as unknown as AccountData
}
