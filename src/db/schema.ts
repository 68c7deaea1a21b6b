// All tables. To add one: define it here with tenantTable(), then `npm run db:generate` and `npm run db:migrate`.
import { type SQLWrapper, sql } from 'drizzle-orm'
import { bigint, boolean, check, index, integer, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { roles, scopes } from '../auth/roles.ts'
import { accountTable, appendOnlyTable, belongsTo, tenantTable } from './tenant-table.ts'

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/** One higher with each change of the row; who has read an older one is told so before overwriting: src/audit.ts */
const version = () => integer('version').notNull().default(1)

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
  dateJoined: moment('date_joined').notNull().defaultNow(),
  passwordHash: text('password_hash').notNull(),
  role: text('role', { enum: roles }).notNull().default('member'),
  version: version()
}, t => [
  check('users_role_known', sql`${t.role} in ('owner', 'admin', 'member', 'viewer')`),
  unique('users_email_key').on(t.accountId, t.email),
  check('users_email_lower', sql`${t.email} = lower(${t.email})`)
])

export const projects = tenantTable('projects', {
  name: text('name').notNull(),
  details: text('details').notNull().default(''),
  version: version()
}, t => [nameLength('projects', t.name), index('projects_listing_idx').on(t.accountId, t.name, t.id)])

export const tasks = tenantTable('tasks', {
  projectId: uuid('project_id').notNull(),
  name: text('name').notNull(),
  isComplete: boolean('is_complete').notNull().default(false),
  details: text('details').notNull().default(''),
  version: version()
}, t => [
  ...belongsTo(t, t.projectId, projects),
  nameLength('tasks', t.name),
  index('tasks_listing_idx').on(t.accountId, t.name, t.id, t.isComplete)
])

export const subtasks = tenantTable('subtasks', {
  taskId: uuid('task_id').notNull(),
  name: text('name').notNull(),
  isComplete: boolean('is_complete').notNull().default(false),
  details: text('details').notNull().default(''),
  version: version()
}, t => [
  ...belongsTo(t, t.taskId, tasks),
  nameLength('subtasks', t.name),
  // is_complete is here to be filtered by: without it each row had to be visited (1.4 to 135 ms in an account of 100,000, now 0.4)
  index('subtasks_listing_idx').on(t.accountId, t.name, t.id, t.isComplete)
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
  createdAt: moment('created_at').notNull().defaultNow()
}, t => [
  unique('idempotency_keys_key').on(t.accountId, t.key),
  index('idempotency_keys_age_idx').on(t.accountId, t.createdAt),
  check('idempotency_keys_key_length', sql`char_length(${t.key}) between 1 and 255`)
])

/** Who is signed in, and where. The token itself is only in the browser's cookie: src/auth/sessions.ts */
export const sessions = tenantTable('sessions', {
  userId: uuid('user_id').notNull(),
  tokenHash: text('token_hash').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  /** Moved on now and then; a session that is not used for long ends by itself. */
  seenAt: moment('seen_at').notNull().defaultNow(),
  expiresAt: moment('expires_at').notNull(),
  address: text('address').notNull(),
  userAgent: text('user_agent').notNull()
}, t => [...belongsTo(t, t.userId, users), unique('sessions_token_key').on(t.accountId, t.tokenHash)])

/** What programs sign in with, in a user's name. Shown once, when it is made; then only its hash is known: src/auth/tokens.ts */
export const apiTokens = tenantTable('api_tokens', {
  userId: uuid('user_id').notNull(),
  name: text('name').notNull(),
  tokenHash: text('token_hash').notNull(),
  scope: text('scope', { enum: scopes }).notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  usedAt: moment('used_at'),
  expiresAt: moment('expires_at').notNull()
}, t => [
  ...belongsTo(t, t.userId, users),
  unique('api_tokens_token_key').on(t.accountId, t.tokenHash),
  nameLength('api_tokens', t.name),
  check('api_tokens_scope_known', sql`${t.scope} in ('read', 'write')`)
])

/** Links with which somebody becomes a user, once. */
export const invitations = tenantTable('invitations', {
  email: text('email').notNull(),
  role: text('role', { enum: roles }).notNull(),
  tokenHash: text('token_hash').notNull(),
  invitedBy: text('invited_by').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  expiresAt: moment('expires_at').notNull(),
  acceptedAt: moment('accepted_at')
}, t => [
  unique('invitations_token_key').on(t.accountId, t.tokenHash),
  check('invitations_email_lower', sql`${t.email} = lower(${t.email})`),
  check('invitations_role_known', sql`${t.role} in ('owner', 'admin', 'member', 'viewer')`)
])

/** Attempts to sign in, by e-mail address and by network address, which count against the next ones: src/auth/attempts.ts */
export const signInAttempts = tenantTable('sign_in_attempts', {
  email: text('email').notNull(),
  address: text('address').notNull(),
  at: moment('at').notNull().defaultNow()
}, t => [
  index('sign_in_attempts_email_idx').on(t.accountId, t.email, t.at),
  index('sign_in_attempts_address_idx').on(t.accountId, t.address, t.at)
])

/** Requests counted over all processes, of whoever makes many: src/auth/rates.ts */
export const rateCounts = tenantTable('rate_counts', {
  /** Of whom, and in which window. */
  key: text('key').notNull(),
  count: integer('count').notNull(),
  expiresAt: moment('expires_at').notNull()
}, t => [unique('rate_counts_key').on(t.accountId, t.key), index('rate_counts_age_idx').on(t.accountId, t.expiresAt)])

/** Who changed what, written with the change itself. Of rows and users that may be gone. */
export const auditLog = appendOnlyTable('audit_log', {
  at: moment('at').notNull().defaultNow(),
  userId: uuid('user_id'),
  /** The user's e-mail address at that time, or what else did it: a command, an invitation. */
  actor: text('actor').notNull(),
  action: text('action').notNull(),
  /** The table, and the row of it. */
  entity: text('entity').notNull(),
  entityId: uuid('entity_id').notNull(),
  before: jsonb('before').$type<Record<string, unknown>>(),
  after: jsonb('after').$type<Record<string, unknown>>()
}, t => [index('audit_log_entity_idx').on(t.accountId, t.entityId)])

/**
 * Which account a host name leads to: the one table that is not tenanted, since host names are unique over all accounts.
 * The app role has no right on it; it asks tenancy.resolve(hosts) about exact hosts. The owner writes it.
 */
export const directory = pgTable('directory', {
  host: text('host').primaryKey(),
  accountId: bigint('account_id', { mode: 'number' }).notNull(),
  isPrimary: boolean('is_primary').notNull().default(true)
}, t => [
  index('directory_account_idx').on(t.accountId),
  check('directory_host_lower', sql`${t.host} = lower(${t.host})`)
])

export { appendOnlyTables, tenantTables } from './tenant-table.ts'
