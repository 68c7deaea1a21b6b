// Drizzle as its documentation has it for row-level security: a transaction, the tenant set in it, then the queries, one after the other.
import { asc, count, eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { accounts, projects, subtasks, tasks } from '../../src/db/schema.ts'
import { databaseUrl, listing, serve } from './serve.ts'

const columns = {
  id: subtasks.id,
  account: accounts.name,
  project: projects.name,
  task: tasks.name,
  name: subtasks.name,
  isComplete: subtasks.isComplete,
  details: subtasks.details
}
const client = postgres(databaseUrl, { max: 10 })
const db = drizzle(client)

await serve(client, (account, page, limit) => db.transaction(async tx => {
  await tx.execute(sql`select tenancy.enter(${String(account)})`)
  const rows = await tx.select(columns).from(subtasks)
    .innerJoin(tasks, eq(tasks.id, subtasks.taskId))
    .innerJoin(projects, eq(projects.id, tasks.projectId))
    .innerJoin(accounts, eq(accounts.accountId, projects.accountId))
    .orderBy(asc(subtasks.name), asc(subtasks.id)).limit(limit).offset((page - 1) * limit)
  const [total] = await tx.select({ n: count() }).from(subtasks)
  return listing(page, limit, total!.n, rows)
}))
