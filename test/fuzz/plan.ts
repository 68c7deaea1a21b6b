// A command becomes a step: the helper's call, the same as SQL without any filter, and what must come of it according to the model.
import { type SQL, eq, getTableColumns, or } from 'drizzle-orm'
import { v7 } from 'uuid'
import { type ChangeableTable, isChangeable } from '../../src/db/tenant-table.ts'
import type { AccountId } from '../../src/tenancy/account.ts'
import { innerJoin, leftJoin } from '../../src/tenancy/query.ts'
import type { Tenant } from '../../src/tenancy/scope.ts'
import { canary } from '../support/canary.ts'
import type { Command, Whose } from './commands.ts'
import { type Kind, type Row, type State, kinds, newRow } from './model.ts'

export interface Step {
  readonly command: Command
  /** Through the helpers. */
  readonly ask: (tenant: Tenant) => Promise<unknown>
  /** As SQL that leaves the account out, or names another. */
  readonly raw: { readonly text: string, readonly values: unknown[], readonly read: (rows: Row[]) => unknown }
  /** What comes back, if it is not refused. */
  readonly expected: string
  /** The codes with which it must be refused, one way and the other. */
  readonly refusal: { readonly ask?: string | undefined, readonly raw?: string | undefined }
  /** An attempt at what belongs to another account. */
  readonly hostile: boolean
  readonly writes: boolean
}
export interface Part { readonly part: Planned[], readonly fails: boolean }
export type Planned = Step | Part

export interface World {
  /** Undefined: nobody asks. Then nothing is there, and nothing may be written. */
  readonly account: AccountId | undefined
  readonly other: { readonly account: AccountId, readonly state: State }
}

/** Answers as text, so that they can be compared, and searched for what is another's. */
export const answer = (value: unknown): string => JSON.stringify(Array.isArray(value) ? value.map(row => JSON.stringify(row)).sort() : value)

/** Applies the command to the state, unless it is to be refused. */
export function plan (command: Command, state: State, world: World): Planned {
  if (command.part) {
    const inner = command.part.fails ? state.copy() : state
    return { part: command.part.commands.map(each => plan(each, inner, world)), fails: command.part.fails }
  }
  const kind = kinds[command.table % kinds.length]!
  const scene = { command, kind, state, ...world, me: world.account ?? world.other.account }
  const step = verbs[command.verb](scene)
  const hostile = scene.account === undefined || command.steal || command.whose === 'foreign' || command.by === 'wide' || command.link === 'foreign'
  return { command, refusal: {}, hostile, writes: false, ...step, expected: answer(step.expected) }
}

type Scene = World & { readonly command: Command, readonly kind: Kind, readonly state: State, readonly me: AccountId }
type Draft = Pick<Step, 'ask' | 'raw'> & Partial<Pick<Step, 'refusal' | 'writes'>> & { expected: unknown }

const verbs: Record<Command['verb'], (scene: Scene) => Draft> = {
  insert: scene => {
    const { kind, me, command: { steal }, other } = scene
    const row = rowFor(scene)
    return {
      ...written(scene, [row]),
      expected: [stored(kind, me, row)],
      ask: async tenant => [stored(kind, me, await tenant.insert(kind.table, { ...row, ...steal && { accountId: other.account } } as never))],
      raw: { ...insertion(kind, steal ? other.account : me, [row]), read: rows => rows.map(each => stored(kind, me, each)) }
    }
  },
  insertMany: scene => {
    const { kind, me, command: { steal, pick }, other } = scene
    const rows = Array.from({ length: 1 + pick % 3 }, () => rowFor(scene)).filter((row, i, all) => all.findIndex(({ id }) => id === row.id) === i)
    return {
      ...written(scene, rows),
      expected: rows.length,
      ask: tenant => tenant.insertMany(kind.table, rows.map(row => ({ ...row, ...steal && { accountId: other.account } })) as never),
      raw: { ...insertion(kind, steal ? other.account : me, rows), read: found => found.length }
    }
  },
  update: scene => {
    const { kind, me, state, command, other } = scene
    const { rows, where, text, values } = narrowed(scene)
    const link = kind.parents[command.pick % (kind.parents.length + 1)]
    const name = link?.column ?? kind.text ?? kind.number!
    const value = link ? idOf(scene, link.parent, command.link) : kind.text ? canary(me) : command.pick
    const dangling = link && rows.length > 0 && !state.has(link.parent, value)
    const refusal = unchangeable(kind) ?? (command.steal
      ? { ask: 'tenant_mismatch', raw: rows.length > 0 ? '42501' : undefined }
      : { ask: dangling ? '23503' : undefined, raw: dangling ? '23503' : undefined })
    const changed = rows.map(row => ({ ...row, [name]: value }))
    if (!refusal.ask) for (const row of changed) state.put(kind.name, row)
    const set = command.steal ? 'account_id' : kind.columns[name]!.name
    return {
      writes: true,
      refusal,
      expected: changed.map(row => stored(kind, me, row)),
      ask: async tenant => (await tenant.update(
        kind.table as ChangeableTable, where, (command.steal ? { accountId: other.account } : { [name]: value }) as never
      )).map(row => stored(kind, me, row)),
      raw: {
        text: `update ${kind.name} t set ${set} = $${values.length + 1} where ${text} returning ${list(kind)}`,
        values: [...values, command.steal ? other.account : value],
        read: found => found.map(row => stored(kind, me, row))
      }
    }
  },
  delete: scene => {
    const { kind, state } = scene
    const { rows, where, text, values } = narrowed(scene)
    const refusal = unchangeable(kind)
    if (!refusal) for (const { id } of rows) state.delete(kind.name, id)
    return {
      writes: true,
      ...refusal && { refusal },
      expected: rows.length,
      ask: tenant => tenant.delete(kind.table as ChangeableTable, where),
      raw: { text: `delete from ${kind.name} t where ${text} returning 1`, values, read: found => found.length }
    }
  },
  get: scene => {
    const { kind, me } = scene
    const { rows, where, text, values } = narrowed({ ...scene, command: { ...scene.command, by: 'id' } }) // of many, the first could be any
    const seen = (found: (Row | undefined)[]) => found.map(row => row && stored(kind, me, row))
    return {
      expected: seen(rows.slice(0, 1)),
      ask: async tenant => seen([await tenant.get(kind.table, where)].filter(row => row) as never),
      raw: { text: `select ${list(kind)} from ${kind.name} t where ${text}`, values, read: seen }
    }
  },
  select: joined,
  count: scene => {
    const { rows, where, text, values } = narrowed(scene)
    return {
      expected: rows.length,
      ask: tenant => tenant.count(scene.kind.table, where),
      raw: { text: `select count(*)::int as n from ${scene.kind.name} t where ${text}`, values, read: ([row]) => row!.n }
    }
  },
  exists: scene => {
    const { rows, where, text, values } = narrowed(scene)
    return {
      expected: rows.length > 0,
      ask: tenant => tenant.exists(scene.kind.table, where),
      raw: { text: `select exists (select from ${scene.kind.name} t where ${text}) as e`, values, read: ([row]) => row!.e }
    }
  },
  tally: scene => {
    const { kind: { table, name }, me } = scene
    const { rows, condition, text, values } = narrowed(scene)
    const seen = (groups: { accountId: unknown, total: unknown }[]) => groups.map(({ accountId, total }) => ({ accountId: Number(accountId), total }))
    return {
      expected: rows.length > 0 ? [{ accountId: me, total: rows.length }] : [],
      ask: async tenant => seen(await tenant.tally({
        from: table, by: { accountId: table.accountId } as never, which: {}, ...condition && { where: condition }
      }) as never),
      raw: { text: `select t.account_id as "accountId", count(*)::int as total from ${name} t where ${text} group by 1`, values, read: groups => seen(groups as never) }
    }
  }
}

/** What is only added to refuses all else, whoever asks, and for whichever rows. */
const unchangeable = ({ table }: Kind): Step['refusal'] | undefined => isChangeable(table) ? undefined : { ask: 'append_only', raw: '42501' }

/** Each row with its parent, if its table has one; with the parent's text, which is the parent's account's. */
function joined (scene: Scene): Draft {
  const { kind, me, state, command } = scene
  const { rows, condition, text, values } = narrowed(scene)
  const link = kind.parents[0]
  const parent = kinds.find(({ name }) => name === link?.parent)
  const columns = (table: Kind['table']) => getTableColumns(table) as Record<string, never>
  const left = command.other % 2 === 1
  const seen = (row: { accountId: unknown, id: unknown, parent?: unknown }) =>
    ({ accountId: Number(row.accountId), id: row.id, parent: row.parent ?? null })
  return {
    // a parent that is shown must be the account's, and every row has one
    expected: rows.map(row => seen({ accountId: me, id: row.id, parent: parent?.text && state.get(parent.name, row[link!.column])![parent.text] })),
    ask: async tenant => (await tenant.select({
      from: kind.table,
      joins: parent ? [(left ? leftJoin : innerJoin)(parent.table, eq(columns(parent.table).id!, columns(kind.table)[link!.column]!))] : [],
      columns: {
        accountId: kind.table.accountId, id: columns(kind.table).id!, ...parent?.text && { parent: columns(parent.table)[parent.text]! }
      } as never,
      ...condition && { where: condition }
    })).map(row => seen(row as never)),
    raw: {
      text: `select t.account_id as "accountId", t.id ${parent?.text ? `, p.${parent.columns[parent.text]!.name} as parent` : ''} from ${kind.name} t
        ${parent ? `${left ? 'left ' : ''}join ${parent.name} p on p.id = t.${kind.columns[link!.column]!.name}` : ''} where ${text}`,
      values,
      read: found => found.map(row => seen(row as never))
    }
  }
}

interface Narrowed { rows: Row[], where: never, condition?: SQL, text: string, values: unknown[] }

/** The rows that a command is about: which of the account's there are, as a match or condition for the helpers, and as SQL. */
function narrowed ({ command, kind, state, me, other, account }: Scene): Narrowed {
  const all = account === undefined ? [] : state.of(kind.name)
  const { table } = kind
  const parent = kind.parents[command.pick % (kind.parents.length || 1)]
  const by = command.by === 'parent' && !parent ? 'id' : command.by
  if (by === 'all') return { rows: all, where: {} as never, text: 'true', values: [] }
  if (by === 'id' || by === 'parent') {
    const column = by === 'id' ? 'id' : parent!.column
    const value = idOf({ command, state, other }, by === 'id' ? kind.name : parent!.parent, command.whose)
    return {
      rows: all.filter(row => row[column] === value),
      where: { [column]: value } as never,
      condition: eq((getTableColumns(table) as Record<string, never>)[column]!, value),
      text: `t.${kind.columns[column]!.name} = $1`,
      values: [value]
    }
  }
  const named = by === 'wide' ? [me, other.account] : [command.whose === 'own' ? me : other.account]
  const condition = or(...named.map(each => eq(table.accountId, each)))!
  return { rows: named.includes(me) ? all : [], where: condition as never, condition, text: 't.account_id = any($1::bigint[])', values: [`{${named}}`] }
}

/** The id of a row of this table that is the account's own, another's, or nobody's (as it is where there is no such row). */
function idOf ({ command, state, other }: Pick<Scene, 'command' | 'state' | 'other'>, name: string, whose: Whose): string {
  const rows = whose === 'unused' ? [] : (whose === 'own' ? state : other.state).of(name)
  return rows[command.pick % (rows.length || 1)]?.id ?? v7()
}

/** A new row, perhaps under the id of another account's, perhaps linked to one. */
function rowFor (scene: Scene): Row {
  const { kind, command, state, me } = scene
  const links = Object.fromEntries(kind.parents.map(({ column, parent }) => [column, idOf(scene, parent, command.link)]))
  const id = command.whose === 'foreign' ? idOf(scene, kind.name, 'foreign') : v7()
  return newRow(kind, me, links, state.has(kind.name, id) ? v7() : id)
}

/** Writes new rows to the model, unless they are to be refused. */
function written ({ kind, state, command, account }: Scene, rows: Row[]): { writes: true, refusal: Step['refusal'] } {
  const dangling = rows.some(row => kind.parents.some(({ column, parent }) => !state.has(parent, row[column])))
  const refusal = command.steal || account === undefined
    ? { ask: 'tenant_mismatch', raw: '42501' }
    : { ask: dangling ? '23503' : undefined, raw: dangling ? '23503' : undefined }
  if (!refusal.ask) for (const row of rows) state.put(kind.name, row)
  return { writes: true, refusal }
}

function insertion ({ name, columns, ...kind }: Kind, account: AccountId, rows: Row[]) {
  const names = Object.keys(columns)
  const tuple = (_: Row, i: number) => `(${[0, ...names].map((_, j) => `$${i * (names.length + 1) + j + 1}`)})`
  return {
    text: `insert into ${name} as t (account_id, ${names.map(each => columns[each]!.name)}) values ${rows.map(tuple)} returning ${list({ name, columns, ...kind })}`,
    values: rows.flatMap(row => [account, ...names.map(each => columns[each]!.mapToDriverValue(row[each]))])
  }
}

const list = ({ columns }: Kind) => ['t.account_id as "accountId"', ...Object.entries(columns).map(([name, column]) => `t.${column.name} as "${name}"`)].join(', ')

/** A row as both ways tell it. @param account of a row of the model, which does not say */
function stored ({ columns }: Kind, account: AccountId, row: object): object {
  const { accountId = account, ...values } = row as Record<string, unknown>
  return {
    accountId: Number(accountId),
    ...Object.fromEntries(Object.entries(columns).map(([name, { dataType }]) => [name, dataType === 'date' ? new Date(values[name] as string) : values[name]]))
  }
}
