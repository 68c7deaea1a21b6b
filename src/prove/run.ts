// The probes on one database, in order. First those of nobody, on a connection where the tenant has truly never been set; then, with
// one row of the other account in every table, the others; last those that also need rows of the stranger's own.
import { getTableName } from 'drizzle-orm'
import type { SigningKeys } from '../config.ts'
import { CommandError, sqlState } from '../errors.ts'
import { type Cast, castFor } from './contexts.ts'
import type { Facts } from './facts.ts'
import { type Line, tenantIs } from './line.ts'
import { type Probe, type Result, probesOf, probesOfClosed } from './probes.ts'
import { type Sample, insertText, sampleRows } from './samples.ts'

export interface Suite {
  readonly cast: Cast
  readonly mine: Sample[]
  readonly theirs: Sample[]
  readonly probes: Probe[]
}

export function suiteFor ({ now, closed }: Facts, signing: SigningKeys | undefined): Suite {
  const cast = castFor(now, signing)
  const [mine, theirs] = [sampleRows(cast.me), sampleRows(cast.them)]
  const probes = [
    ...theirs.flatMap((sample, i) => probesOf(sample, mine[i]!, cast)),
    ...closed.flatMap(relation => probesOfClosed(relation, cast))
  ]
  return { cast, mine, theirs, probes }
}

/** As the app role itself, in the transaction that the facts are of. It ends with the contexts being used for once. */
export async function probeAsNobody (line: Line, { cast, theirs, probes }: Suite): Promise<Result[]> {
  await mustBeFresh(line)
  await mustBeFree(line, theirs)
  const results = await inTurn(line, probes.filter(isNobodys))
  await mustAccept(line, cast)
  return results
}

/** As the app role, when the first transaction is over. @param owner a connection of the owner's; without it, FORCE is not probed */
export async function probeAsOthers (line: Line, owner: Line | undefined, { cast, mine, theirs, probes }: Suite): Promise<Result[]> {
  if (cast.signed) await line.ask(`select pg_sleep(greatest(0, ${cast.replayedUntil} + 0.1 - extract(epoch from clock_timestamp())))`)
  const others = await line.undone(async () => {
    await mustBeFree(line, theirs)
    await plantAs(line, cast, theirs)
    return inTurn(line, probes.filter(probe => !isNobodys(probe) && !isOwners(probe)), () => plantAs(line, cast, mine))
  })
  return [...others, ...await owner?.undone(() => owner.attempt(probes.filter(isOwners))) ?? []]
}

export const isNobodys = (probe: Probe) => probe.context === 'no tenant'
const isOwners = (probe: Probe) => probe.context === 'the owner'
const needsOwnRows = ({ verb }: Probe) => verb === 'move' || verb === 'link'

/** @param plantMine writes the stranger's own rows, which the blind probes would stumble over */
export async function inTurn (line: Line, probes: Probe[], plantMine = async () => {}, ownerRole?: string): Promise<Result[]> {
  const first = await line.attempt(probes.filter(probe => !needsOwnRows(probe)), ownerRole)
  // A move would rewrite all the rows that an update can reach; and it would tell us nothing.
  const open = new Set(first.filter(({ probe, verdict }) => probe.verb === 'update' && verdict !== 'held').map(({ probe }) => cell(probe)))
  const moot = (probe: Probe) => probe.verb === 'move' && open.has(cell(probe))
  await plantMine()
  const rest = probes.filter(needsOwnRows)
  return [
    ...first,
    ...await line.attempt(rest.filter(probe => !moot(probe))),
    ...rest.filter(moot).map(probe => ({ probe, verdict: 'untried', detail: 'any row can be updated' } as const))
  ]
}

const cell = ({ table, context }: Probe) => `${table} ${context}`

async function mustBeFresh (line: Line): Promise<void> {
  if (!await isFresh(line)) throw new CommandError('This connection has served others before, so what a new one sees cannot be proven. Let DATABASE_URL lead past the pooler.')
}

/** Where a tenant has ever been set, the setting is empty when the transaction is over: not null, as it is on a new connection. */
export async function isFresh (line: Line): Promise<boolean> {
  const [row] = await line.ask('select current_setting(\'app.current_tenant\', true) as tenant')
  return row!.tenant !== ''
}

/** Rather than have every probe wait for a lock that somebody holds. */
async function mustBeFree (line: Line, tables: Sample[]): Promise<void> {
  const state = await line.tried(`lock table ${tables.map(({ name }) => name)} in row exclusive mode`)
  if (state === '55P03') throw locked()
}

export const locked = (cause?: unknown) => new CommandError('Somebody holds a lock on the tables, perhaps a migration. Run it again when that is done.', { cause })

async function mustAccept (line: Line, { me, them, contextOf, signed, replayed }: Cast): Promise<void> {
  for (const [value, account] of [[contextOf(me), me], [contextOf(them), them], ...signed ? [[replayed, them] as const] : []] as const) {
    await line.run([tenantIs(value)])
    const [row] = await line.ask('select tenancy.current_account() as account').catch(error => {
      if (sqlState(error) !== '42501') throw error
      return []
    })
    if (Number(row?.account) === account) continue
    throw new CommandError('The database does not accept the tenant contexts that this program makes. Set TENANT_SIGNING_KEY to its key, or run: npm run db:migrate')
  }
}

/** How many rows the made-up accounts have. Theirs is nothing, before and after. */
export async function rowsOf (line: Line, { me, them, contextOf }: Cast, tables: Sample[]): Promise<number> {
  return line.undone(async () => {
    let rows = 0
    for (const account of [me, them]) {
      await line.run([tenantIs(contextOf(account))])
      const counts = tables.map(({ table }) => `(select count(*) from ${getTableName(table)} where account_id = ${account})`)
      rows += Number((await line.ask(`select ${counts.join(' + ')} as n`))[0]!.n)
    }
    return rows
  })
}

/** As their own account, through the walls. A table that refuses is dead, which its own probe will find. */
async function plantAs (line: Line, { contextOf }: Cast, samples: Sample[]): Promise<void> {
  await line.run([tenantIs(contextOf(samples[0]!.row.accountId as never))])
  for (const sample of samples) {
    const state = await line.tried(insertText(sample))
    if (state !== undefined && state !== '42501' && state !== '23503') {
      throw new CommandError(`A made-up row could not be written into ${sample.name} (${state}). src/prove/samples.ts makes them.`)
    }
  }
}
