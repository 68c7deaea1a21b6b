// Changes that people make, each written down in the same transaction: who, what, the row before and after. A change is made to the row
// as it was read (its version says so), so that nothing is overwritten unseen, and what is written down is what happened.
import { isDeepStrictEqual } from 'node:util'
import { getTableName } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { auditLog } from './db/schema.ts'
import type { ChangeableTable } from './db/tenant-table.ts'
import { AppError } from './errors.ts'
import type { NewRow, Row } from './tenancy/query.ts'
import type { Tenant } from './tenancy/scope.ts'

/** Who changes something. */
export interface Actor {
  /** The user's; null if it is none: a command, say. */
  readonly id: string | null
  readonly email: string
}

type AuditedTable = ChangeableTable & { readonly id: PgColumn }
type Version = { readonly version?: number }

const attempts = 3 // others may change the row between our reading and our writing; hardly three times

export type Changes = ReturnType<typeof changesBy>

/** Who does something, and among whose rows. A request is one. */
export interface Acting<By extends Actor = Actor> {
  readonly tenant: Tenant
  user (): Promise<By>
}

/** The changes that a request makes, in the name of its user. */
export const changesOf = (acting: Acting): Changes => changesBy(acting.user(), acting.tenant)

export function changesBy (actor: Actor | Promise<Actor>, tenant: Tenant) {
  async function note (action: string, table: AuditedTable, entityId: string, before?: object, after?: object): Promise<void> {
    const { id: userId, email } = await actor
    await tenant.insert(auditLog, { userId, actor: email, action, entity: getTableName(table), entityId, before: shown(before), after: shown(after) })
  }

  async function insert<T extends AuditedTable> (table: T, row: NewRow<T>): Promise<Row<T>> {
    const stored = await tenant.insert(table, row)
    await note('create', table, idOf(stored), undefined, stored)
    return stored
  }

  /**
   * What would change nothing is none: the row keeps its version, and nothing is written down.
   * @param expected the version that whoever asks has seen; any, unless given
   * @param action what to call it in the log
   * @throws {AppError} not_found; precondition_failed if it has another version; try_again
   */
  async function update<T extends AuditedTable> (table: T, id: string, set: Partial<NewRow<T>>, expected?: number, action = 'update'): Promise<Row<T>> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const before = await read(table, id, expected)
      if (isDeepStrictEqual(before, { ...before, ...set })) return before
      const { version } = before as Version
      const seen = { id, ...version !== undefined && { version } }
      const next = { ...set, ...version !== undefined && { version: version + 1 } }
      const [after] = await tenant.update(table, seen as never, next as never)
      if (after) {
        await note(action, table, id, before, after)
        return after
      }
    }
    throw new AppError('try_again')
  }

  /** Deletes the row, and what belongs to it. @throws as update */
  async function remove (table: AuditedTable, id: string, expected?: number, action = 'delete'): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const before = await read(table, id, expected)
      const { version } = before as Version
      if (await tenant.delete(table, { id, ...version !== undefined && { version } } as never) > 0) return note(action, table, id, before)
    }
    throw new AppError('try_again')
  }

  async function read<T extends AuditedTable> (table: T, id: string, expected?: number): Promise<Row<T>> {
    const row = await tenant.get(table, { id } as never)
    if (!row) throw new AppError('not_found')
    if (expected !== undefined && (row as Version).version !== expected) throw new AppError('precondition_failed')
    return row
  }

  return { insert, update, remove, note }
}

const idOf = (row: object) => (row as { id: string }).id

/** What may be read of a row later: no hash of anything secret, and not whose account's it is, which the log's own row says. */
function shown (row?: object): Record<string, unknown> | null {
  if (!row) return null
  return Object.fromEntries(Object.entries(row).filter(([name]) => !/hash$/i.test(name) && name !== 'accountId'))
}
