// Drizzle as its documentation has it for row-level security: a transaction, the tenant set in it, then the queries, one after the other.
import { and, asc, count, eq, gt, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { accounts, projects, sessions, subtasks, tasks, users } from '../../src/db/schema.ts'
import { databaseUrl, listing, serve } from './serve.ts'

const columns = {
  id: subtasks.id,
  account: accounts.name,
  projectId: tasks.projectId,
  project: projects.name,
  taskId: subtasks.taskId,
  task: tasks.name,
  name: subtasks.name,
  isComplete: subtasks.isComplete,
  details: subtasks.details
}
const client = postgres(databaseUrl, { max: 10 })
const db = drizzle(client)

await serve(client, (account, hash, page, limit) => db.transaction(async tx => {
  await tx.execute(sql`select tenancy.enter(${String(account)})`)
  const [user] = await tx.select({ id: users.id, role: users.role }).from(sessions).innerJoin(users, eq(users.id, sessions.userId))
    .where(and(eq(sessions.tokenHash, hash), eq(users.isActive, true), gt(sessions.expiresAt, new Date())))
  if (!user) throw new Error('Nobody is signed in.')
  const rows = await tx.select(columns).from(subtasks)
    .innerJoin(tasks, eq(tasks.id, subtasks.taskId))
    .innerJoin(projects, eq(projects.id, tasks.projectId))
    .innerJoin(accounts, eq(accounts.accountId, projects.accountId))
    .orderBy(asc(subtasks.name), asc(subtasks.id)).limit(limit).offset((page - 1) * limit)
  const [total] = await tx.select({ n: count() }).from(subtasks)
  return listing(page, limit, total!.n, rows)
}))
