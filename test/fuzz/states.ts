// What is stored, seen from behind the walls, in the form of the model's text; and the way back to a known beginning.
import type { AccountId } from '../../src/tenancy/account.ts'
import { foreignCanaries } from '../support/canary.ts'
import type { TestDatabase } from '../support/database.ts'
import { type Row, type State, kinds } from './model.ts'

/** Empties every table, and gives each account what its model says. */
export async function reset ({ admin }: TestDatabase, residents: readonly { account: AccountId, state: State }[]): Promise<void> {
  await admin`truncate accounts cascade`
  const accounts = residents.map(({ account }) => ({ account_id: account, slug: `a${account}`, name: `Account ${account}` }))
  await admin`insert into accounts ${admin(accounts)}`
  for (const { name, columns } of kinds) {
    const rows = residents.flatMap(({ account, state }) => state.of(name).map(row =>
      ({ account_id: account, ...Object.fromEntries(Object.entries(columns).map(([each, column]) => [column.name, row[each]])) })))
    await admin`insert into ${admin(name)} ${admin(rows as never[])}`
  }
}

/** Each account's rows as text, and every row that bears another account's canary. */
export async function readStates ({ admin }: TestDatabase, only?: AccountId): Promise<{ states: Map<number, string>, strays: string[] }> {
  const rows = new Map<number, Map<string, Row[]>>()
  const strays: string[] = []
  const tables = await Promise.all(kinds.map(({ name, columns }) => {
    const list = ['account_id as "accountId"', ...Object.entries(columns).map(([each, column]) => `${column.name} as "${each}"`)]
    return admin.unsafe(`select ${list} from ${name} ${only ? `where account_id = ${only}` : ''}`)
  }))
  for (const { account_id: id } of await admin`select account_id from accounts`) rows.set(Number(id), new Map(kinds.map(({ name }) => [name, []])))
  for (const [i, { name }] of kinds.entries()) {
    for (const { accountId, ...row } of tables[i]! as unknown as (Row & { accountId: string })[]) {
      rows.get(Number(accountId))!.get(name)!.push(row)
      if (foreignCanaries(JSON.stringify(row), Number(accountId)).length > 0) strays.push(`${name} of ${accountId}: ${JSON.stringify(row)}`)
    }
  }
  return { states: new Map([...rows].map(([account, tables]) => [account, textOf(tables)])), strays }
}

/** The same for the same rows, in whatever order. */
export function textOf (tables: Map<string, Row[]>): string {
  return JSON.stringify(kinds.map(({ name, columns }) =>
    tables.get(name)!.map(row => Object.keys(columns).map(each => row[each])).sort((a, b) => String(a[0]) < String(b[0]) ? -1 : 1)))
}
