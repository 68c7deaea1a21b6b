// What a request asks, in SQL by hand: who makes it; and the page, with how many there are, in one statement.
import type { Sql } from 'postgres'
import { type Page, type Row, listing } from './serve.ts'

export const statement = `
  select page.id, accounts.name as account, tasks.project_id as "projectId", projects.name as project, page.task_id as "taskId", tasks.name as task,
         page.name, page.is_complete as "isComplete", page.details,
         (select count(*)::int from (select from subtasks where account_id = $1 limit 1001) ahead) as total
    from (select id, task_id, name, is_complete, details from subtasks where account_id = $1 order by name, id limit $2 offset $3) page
    join tasks on tasks.account_id = $1 and tasks.id = page.task_id
    join projects on projects.account_id = $1 and projects.id = tasks.project_id
    join accounts on accounts.account_id = $1
   order by page.name, page.id`

const userOfSession = `
  select users.id, users.role from sessions join users on users.account_id = $1 and users.id = sessions.user_id
   where sessions.account_id = $1 and sessions.token_hash = $2 and users.is_active and sessions.expires_at > now()`

/** Sends a statement at once, prepared, without waiting for what was sent before. */
export type Ask = (text: string, values: unknown[]) => PromiseLike<readonly object[]>

export const asking = (sql: Sql): Ask => (text, values) =>
  sql.unsafe(text, values as never[], { prepare: true }).execute() // now, not when it is awaited

/** The user whose session has a secret of this hash. @throws if there is none */
export async function findUser (ask: Ask, account: number, hash: string): Promise<void> {
  const [user] = await ask(userOfSession, [account, hash])
  if (!user) throw new Error('Nobody is signed in.')
}

export async function readListing (ask: Ask, account: number, page: number, limit: number): Promise<Page> {
  const rows = await ask(statement, [account, limit, (page - 1) * limit]) as readonly (Row & { total: number })[]
  return listing(page, limit, rows[0]?.total ?? 0, rows)
}
