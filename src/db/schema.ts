// All tables. To add one: define it here with tenantTable(), then `npm run db:generate` and `npm run db:migrate`.
import { type SQLWrapper, sql } from 'drizzle-orm'
import { bigint, boolean, check, index, integer, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { accountTable, belongsTo, tenantTable } from './tenant-table.ts'

/** 1 to 500 characters: what a person calls a thing, and short enough for an index entry in any script. */
const nameLength = (table: string, name: SQLWrapper) => check(`${table}_name_length`, sql`char_length(${name}) between 1 and 500`)

export const accounts = accountTable('accounts', {
  slug: text('slug').notNull(),
  name: text('name').notNull(),
  status: text('status', { enum: ['active', 'suspended'] }).notNull().default('active')
}, t => [
  check('accounts_account_id_safe', sql`${t.accountId} between 1 and 9007199254740991`), // an exact integer in JavaScript, too
  nameLength('accounts', t.name),
  check('accounts_status_known', sql`${t.status} in ('active', 'suspended')`)
])

export const users = tenantTable('users', {
  email: text('email').notNull(),
  firstName: text('first_name').notNull(),
  lastName: text('last_name').notNull(),
  isActive: boolean('is_active').notNull().default(true),
  dateJoined: timestamp('date_joined', { withTimezone: true, mode: 'date' }).notNull().defaultNow(),
  passwordHash: text('password_hash').notNull()
}, t => [
  unique('users_email_key').on(t.accountId, t.email),
  check('users_email_lower', sql`${t.email} = lower(${t.email})`)
])

export const projects = tenantTable('projects', {
  name: text('name').notNull(),
  details: text('details').notNull().default('')
}, t => [nameLength('projects', t.name)])

export const tasks = tenantTable('tasks', {
  projectId: uuid('project_id').notNull(),
  name: text('name').notNull(),
  isComplete: boolean('is_complete').notNull().default(false),
  details: text('details').notNull().default('')
}, t => [...belongsTo(t, t.projectId, projects), nameLength('tasks', t.name)])

export const subtasks = tenantTable('subtasks', {
  taskId: uuid('task_id').notNull(),
  name: text('name').notNull(),
  isComplete: boolean('is_complete').notNull().default(false),
  details: text('details').notNull().default('')
}, t => [
  ...belongsTo(t, t.taskId, tasks),
  nameLength('subtasks', t.name),
  index('subtasks_listing_idx').on(t.accountId, t.name, t.id)
])

/**
 * What was answered to a POST that bore an Idempotency-Key, for when it is sent again. A row is written with the change that it speaks
 * of, or not at all; its reply is missing only while that transaction runs, when nobody else can see it. src/tenancy/idempotency.ts
 */
export const idempotencyKeys = tenantTable('idempotency_keys', {
  key: text('key').notNull(),
  /** Of the method, the URL and the body. */
  fingerprint: text('fingerprint').notNull(),
  status: integer('status'),
  contentType: text('content_type'),
  location: text('location'),
  body: text('body'),
  createdAt: timestamp('created_at', { withTimezone: true, mode: 'date' }).notNull().defaultNow()
}, t => [
  unique('idempotency_keys_key').on(t.accountId, t.key),
  index('idempotency_keys_age_idx').on(t.accountId, t.createdAt),
  check('idempotency_keys_key_length', sql`char_length(${t.key}) between 1 and 255`)
])

/**
 * Which account a host name leads to: the one table that is not tenanted, since host names are unique over all accounts.
 * The app role has no right on it; it asks tenancy.resolve(host) about one exact host. The owner writes it.
 */
export const directory = pgTable('directory', {
  host: text('host').primaryKey(),
  accountId: bigint('account_id', { mode: 'number' }).notNull(),
  isPrimary: boolean('is_primary').notNull().default(true)
}, t => [
  index('directory_account_idx').on(t.accountId),
  check('directory_host_lower', sql`${t.host} = lower(${t.host})`)
])

export { tenantTables } from './tenant-table.ts'
