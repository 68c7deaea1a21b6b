// Two ways to the database: the helpers, and raw SQL that leaves the account out. Which wall is alone depends on the role they get.
import type { AccountId } from '../../src/tenancy/account.ts'
import type { ContextOf } from '../../src/tenancy/context.ts'
import type { SlotPool } from '../../src/tenancy/pool.ts'
import type { Tenant } from '../../src/tenancy/scope.ts'
import type { Way } from '../../src/tenancy/slot.ts'
import type { Tenancy } from '../../src/tenancy/tenancy.ts'
import type { Transaction } from './commands.ts'
import { type Planned, type Step, answer } from './plan.ts'

export type Outcome = { readonly value: string } | { readonly code: string }

export interface Wall {
  readonly way: 'ask' | 'raw'
  /**
   * Runs a transaction to its end and tells what each step came to. A refusal is an outcome.
   * @throws what ended the transaction otherwise
   */
  run (account: AccountId | undefined, steps: readonly Planned[], end: Transaction['end']): Promise<Outcome[]>
}

class Undone extends Error {}

/** Faults of the connection, which say nothing about the step. */
export const faults = ['connection_lost', 'commit_unknown', 'database_unavailable', 'pool_busy']
const codeOf = (error: unknown) => String((error as { code?: string }).code ?? error)

export function throughHelpers (tenancy: Tenancy): Wall {
  const go = async (tenant: Tenant, steps: readonly Planned[], outcomes: Outcome[], end?: Transaction['end']): Promise<void> => {
    for (const [i, step] of steps.entries()) {
      if ('part' in step) {
        await tenant.nested(tenant.account, async inner => {
          await go(inner, step.part, outcomes)
          if (step.fails) throw new Undone()
        }).catch(ignoreUndone)
        continue
      }
      const attempt = async (of: Tenant) => { outcomes.push({ value: answer(await step.ask(of)) }) }
      const note = (error: unknown) => {
        if (faults.includes(codeOf(error))) throw error
        outcomes.push({ code: codeOf(error) })
      }
      if (end === 'refused' && i === steps.length - 1) { // not in a part of its own: everything is undone with it
        await attempt(tenant).catch(error => { note(error); throw new Undone() })
      } else if (step.refusal.ask) await tenant.nested(tenant.account, attempt).catch(note)
      else await attempt(tenant)
    }
  }
  return {
    way: 'ask',
    async run (account, steps, end) {
      const outcomes: Outcome[] = []
      const reads = steps.every(step => 'writes' in step && !step.writes)
      await tenancy.withTenant(account as AccountId, async tenant => {
        await go(tenant, steps, outcomes, end)
        if (end === 'throw') throw new Undone()
      }, reads ? 'read only' : 'read write').catch(ignoreUndone)
      return outcomes
    }
  }
}

function ignoreUndone (error: unknown): void {
  if (!(error instanceof Undone)) throw error
}

/** The whole transaction leaves in one flush: the outcomes are known beforehand, if the wall holds. */
export function throughRawSql (pool: SlotPool, contextOf: ContextOf): Wall {
  return {
    way: 'raw',
    async run (account, steps, end) {
      const slot = await pool.acquire(account ?? 'nobody')
      const replies: Promise<Outcome>[] = []
      const control: Promise<unknown>[] = []
      const say = (text: string, values: unknown[] = [], way: Way = 'control') => { control.push(slot.send(text, values, way)) }
      const attempt = (step: Step, alone: boolean) => {
        if (alone) say('savepoint step')
        replies.push(slot.send(step.raw.text, step.raw.values, 'objects').then(
          rows => ({ value: answer(step.raw.read(rows as never)) }),
          error => ({ code: codeOf(error) })))
        if (alone) say('rollback to savepoint step')
      }
      const go = (steps: readonly Planned[], end?: Transaction['end']) => {
        for (const [i, step] of steps.entries()) {
          if ('part' in step) {
            say('savepoint part')
            go(step.part)
            say(`${step.fails ? 'rollback to' : 'release'} savepoint part`)
          } else attempt(step, step.refusal.raw !== undefined && !(end === 'refused' && i === steps.length - 1))
        }
      }
      say('begin')
      if (account) say('select tenancy.enter($1)', [contextOf(account)], 'objects')
      go(steps, end)
      say(end === 'throw' ? 'rollback' : 'commit')
      const [outcomes] = await Promise.all([Promise.all(replies), Promise.all(control)]).catch(async error => {
        await slot.rollBack()
        throw error
      }).finally(() => pool.release(slot))
      return outcomes
    }
  }
}
