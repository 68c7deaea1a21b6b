// Rows of every tenant table, written and read behind the walls.
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import { v7 } from 'uuid'
import { tenantTables } from '../../src/db/schema.ts'
import { type Plain, type Sample, insertText, sampleRows } from '../../src/prove/samples.ts'
import type { AccountId } from '../../src/tenancy/account.ts'
import { canary } from './canary.ts'

/** Writes one row of each table for each account, behind the walls, every text with its account's canary, and returns them. */
export async function plant<Id extends AccountId> (admin: postgres.Sql, ...ids: Id[]): Promise<Sample[][]> {
  const planted = ids.map(id => sampleRows(id).map(sample => bearing(sample, canary(id))))
  await admin.unsafe(planted.flat().map(insertText).join('; '))
  return planted
}

/** The same row, each of its texts with a mark. */
export function bearing ({ table, name, row }: Sample, mark: string): Sample {
  const columns = getTableColumns(table) as Record<string, AnyPgColumn>
  const mayBear = (each: string) => columns[each]!.getSQLType() === 'text' && !columns[each]!.enumValues?.length
  return { table, name, row: Object.fromEntries(Object.entries(row).map(([each, value]) => [each, mayBear(each) ? `${String(value)} ${mark}` : value])) }
}

/** A new row of each table for this account, of whoever asks if it is a user's, and its id: what was done to earlier ones does not matter. */
export async function newRows (admin: postgres.Sql, account: AccountId): Promise<Map<string, string>> {
  const [asker] = await admin`select id from users where account_id = ${account} and email = 'owner@example.com'`
  const own: Plain = asker ? { userId: asker.id } : {}
  const rows = sampleRows(account).filter(({ row }) => 'id' in row).map(sample => {
    const { table, name, row } = bearing(sample, canary(account))
    const open = Object.entries(row).filter(([column]) => column !== 'acceptedAt') // so that there is something to be done with it
    own.email = `${v7()}@example.com`
    return { table, name, row: Object.fromEntries(open.map(([column, value]) => [column, own[column] ?? value])) }
  })
  await admin.unsafe(rows.map(insertText).join('; ')) // one round trip
  return new Map(rows.map(({ name, row }) => [name, String(row.id)]))
}

/** A hash of all that an account has, as the database sees it; of nothing, ''. Two equal answers mean that nothing was changed in between. */
export async function everythingOf (admin: postgres.Sql, account: AccountId, ...except: string[]): Promise<string> {
  const names = tenantTables.map(getTableName).filter(name => !except.includes(name))
  const rows = names.map(name => `select '${name}' || t::text as row from ${name} t where account_id = $1`)
  const [{ hash }] = await admin.unsafe<[{ hash: string | null }]>(`select md5(string_agg(row, '' order by row)) as hash from (${rows.join(' union all ')}) every`, [account])
  return hash ?? ''
}
