// One connection, on which many statements are sent at once and answered together: a run of hundreds of probes takes few round trips.
import { connect, unreachable } from '../db/roles.ts'
import { sqlState } from '../errors.ts'
import { type Probe, type Result, judge } from './probes.ts'

export type Line = Awaited<ReturnType<typeof openLine>>

/**
 * postgres.js would send what is still queued on a new connection, were this one to die: outside any transaction. So every message of
 * ours that could change anything begins with a savepoint, which PostgreSQL takes inside a transaction only.
 */
const guard = 'savepoint prove'
/** As good: it refuses outside a transaction, too. */
const again = 'rollback to savepoint prove'
const undo = `${again}; release savepoint prove`

/** Short enough that no traffic waits long for us; but autovacuum lets go of a table when it has been waited for for a second. */
const patience = 'set local lock_timeout = 1500; set local statement_timeout = 5000; set local idle_in_transaction_session_timeout = 10000'

type Reply = Record<string, unknown>[] & { command?: string, count: number | null }

/** @param variable where the URL is from. @throws {CommandError} if it leads nowhere */
export async function openLine (url: string, variable: 'DATABASE_URL' | 'OWNER_DATABASE_URL' | 'ADMIN_DATABASE_URL') {
  // Nor does postgres.js answer everything that was on the way when its connection died.
  let lost: Error | undefined
  let lose: (reason: Error) => void
  const loss = new Promise<never>((_resolve, reject) => { lose = reject })
  loss.catch(() => {}) // whoever waits for an answer hears of it
  const gone = () => {
    lose(lost ??= unreachable(variable, new Error('the connection was lost')))
    return lost
  }
  const sql = connect(url, { application_name: 'rowhouse prove' }, gone)
  await sql`select 1`.catch(async error => { await sql.end(); throw unreachable(variable, error) })

  /** The rows of the last statement of a text. */
  async function send (text: string): Promise<Reply> {
    if (lost) throw lost
    const answer = sql.unsafe(text).catch(error => { throw sqlState(error) ? error : gone() }) as unknown as Promise<Reply | Reply[]>
    const reply = await Promise.race([loss, answer])
    return 'command' in reply ? reply : (reply as Reply[]).at(-1)!
  }

  return {
    ask: async (text: string) => [...await send(text)],
    /** Does what these say, inside the transaction. */
    run: async (texts: string[]): Promise<void> => { await send([guard, ...texts, 'release savepoint prove'].join('; ')) },
    /** Does it, or leaves the transaction as it was and returns the SQLSTATE of the refusal. */
    async tried (text: string): Promise<string | undefined> {
      try {
        await send(`${guard}; ${text}; release savepoint prove`)
      } catch (error) {
        const state = sqlState(error)
        if (state === undefined) throw error
        await send(undo)
        return state
      }
    },
    /** Tries each by itself and undoes it: with the message of the next one, as each of them costs more than what it asks. */
    async attempt (probes: readonly Probe[], ownerRole?: string): Promise<Result[]> {
      const texts = probes.map(({ context, value, text }, i) => [
        i > 0 ? again : guard, ...context === 'the owner' && ownerRole ? [`set local role ${ownerRole}`] : [], ...value === null ? [] : [tenantIs(value)], text
      ].join('; '))
      const replies = await Promise.allSettled([...texts, ...probes.length > 0 ? [undo] : []].map(send))
      const lastly = replies[probes.length]
      if (lastly?.status === 'rejected') throw lastly.reason // the transaction is gone, and whatever they were answered, it was not in it
      return probes.map((probe, i) => {
        const reply = replies[i]!
        return judge(probe, reply.status === 'rejected' ? reply.reason : reply.value.count)
      })
    },
    /** What the work did is undone, whatever becomes of it. */
    async undone<T> (work: () => Promise<T>): Promise<T> {
      await send(`begin; ${patience}`)
      try {
        return await work()
      } finally {
        await send('rollback').catch(error => { if (error !== lost) throw error }) // a connection that is gone has rolled back
      }
    },
    end: () => sql.end({ timeout: 1 })
  }
}

/** As no request of ours sets the tenant: to any value, and over another. */
export const tenantIs = (value: string) => `set local app.current_tenant = '${value}'`
