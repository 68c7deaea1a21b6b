// The log of all changes (src/audit.ts writes it), as it is read.
import { desc } from 'drizzle-orm'
import { auditLog } from '../db/schema.ts'
import { type Page, type PageOf, type Row, query } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'

export type LogEntry = Omit<Row<typeof auditLog>, 'accountId'>

const { id, at, userId, actor, action, entity, entityId, before, after } = auditLog
const newestFirst = query({ from: auditLog, columns: { id, at, userId, actor, action, entity, entityId, before, after }, orderBy: [desc(id)] })

/** The ids tell the time. @throws {AppError} cursor_invalid */
export const listLog = (tenant: Tenant, page: Page): Promise<PageOf<LogEntry[]>> => tenant.page(newestFirst, page)
