// Every error that reaches a person: a stable code, a status, and one sentence that says what to do. Throw anywhere; the error
// handler (routes/errors.ts) answers once. PostgreSQL's own text never leaves the log.

const table = {
  bad_request: [400, 'The request is not valid.'],
  invalid_text: [400, 'The text contains characters that cannot be stored, such as NUL.'],
  cursor_invalid: [400, 'This cursor does not belong to this list. Begin again without one.'],
  cookie_repeated: [400, 'The request has the session\'s cookie more than once. Delete the cookies of this site and sign in again.'],
  weak_password: [400, 'This password is too easy to guess. Choose another one.'],
  unauthenticated: [401, 'Sign in first.'],
  sign_in_failed: [401, 'No active user of this account has this e-mail address and this password.'],
  forbidden: [403, 'Your role in this account does not allow this.'],
  password_wrong: [403, 'This is not your password until now.'],
  owner_only: [403, 'Only an owner may do this: it makes, changes or removes an owner.'],
  cross_site: [403, 'This must be asked from a page of this very host, or with an API token.'],
  account_suspended: [403, 'This account is suspended. Its owner can have it opened again.'],
  not_found: [404, 'There is nothing at this address.'],
  account_not_found: [404, 'There is no account at this address. Check the spelling of the first part of the host name.'],
  page_not_found: [404, 'This listing has no such page.'],
  method_not_allowed: [405, 'This address cannot be asked in this way.'],
  request_timeout: [408, 'The request did not arrive in time.'],
  conflict: [409, 'Something with the same name or key is there already.'],
  shown_once: [409, 'This was done before, and the secret that it made is not shown again. Take it back, and make another one.'],
  email_taken: [409, 'Somebody with this e-mail address is in this account already.'],
  last_owner: [409, 'This is the last active owner of the account. Make somebody else an owner first.'],
  reference_missing: [409, 'What this refers to does not exist, or not any more.'],
  in_progress: [409, 'The same request is being worked on. Ask again in a moment for its reply.'],
  precondition_failed: [412, 'This was changed in the meantime. Read it again, then decide.'],
  body_too_large: [413, 'The body is too large.'],
  address_too_long: [414, 'The address is too long.'],
  unsupported_media_type: [415, 'The body must be JSON in UTF-8, not compressed: content-type application/json.'],
  host_not_served: [421, 'This server does not serve that host name.'],
  idempotency_key_reused: [422, 'This Idempotency-Key belongs to another request. Use a new key for a new request.'],
  too_many_requests: [429, 'Too many requests. Wait a moment, then go on.'],
  too_many_attempts: [429, 'Too many passwords have been tried. Try again later.'],
  headers_too_large: [431, 'The headers of the request are too large.'],
  internal: [500, 'Something went wrong on our side. It has been logged.'],
  not_committed: [500, 'Nothing was saved, because a part of it failed.'],
  transaction_closed: [500, 'A database call came after its transaction had ended.'],
  part_open: [500, 'A database call was made beside an open part of its transaction.'],
  tenant_missing: [500, 'A database call was made without a tenant.'],
  tenant_mismatch: [500, 'A database call named another tenant than its transaction.'],
  not_tenanted: [500, 'A table that belongs to no tenant was used in a tenant\'s transaction.'],
  append_only: [500, 'A row was to be changed of a table that is only added to.'],
  statement_refused: [500, 'A statement was stopped that is none of those that the application sends.'],
  overloaded: [503, 'The server is overloaded. Try again in a moment.'],
  pool_busy: [503, 'The server is busy. Try again in a moment.'],
  database_unavailable: [503, 'The database cannot be reached. Try again in a moment.'],
  connection_lost: [503, 'The connection to the database was lost; nothing was saved. Try again in a moment.'],
  statement_timeout: [503, 'This took too long and was stopped; nothing was saved. Try again in a moment.'],
  try_again: [503, 'Another change was in the way; nothing was saved. Try again in a moment.'],
  commit_unknown: [503, 'The connection was lost while saving, so it is not known whether the change was kept. Look before you repeat it.']
} as const satisfies Record<string, readonly [status: number, message: string]>

export type ErrorCode = keyof typeof table

/** An error with a place in the table above. `cause` is for the log only. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly statusCode: number
  /** What the reply says besides. */
  readonly headers: Readonly<Record<string, string>>

  constructor (code: ErrorCode, options?: { message?: string, cause?: unknown, headers?: Record<string, string> }) {
    super(options?.message ?? table[code][1], { cause: options?.cause })
    this.name = new.target.name
    this.code = code
    this.statusCode = table[code][0]
    this.headers = options?.headers ?? {}
  }
}

/** There is no tenant: the call was stopped before any SQL was sent. */
export class TenantMissingError extends AppError {
  constructor () { super('tenant_missing') }
}

/** A command or the start cannot go on: one line for the person at the terminal, exit code 1. */
export class CommandError extends Error {}

/** What a SQLSTATE means to the person who waits. A class (two characters) stands for all its codes. */
const sqlStates: Record<string, ErrorCode> = {
  '08': 'connection_lost',
  22021: 'invalid_text',
  '22P05': 'invalid_text',
  23503: 'reference_missing',
  23505: 'conflict',
  '25P03': 'statement_timeout',
  '25P04': 'statement_timeout',
  28: 'database_unavailable',
  '3D': 'database_unavailable',
  40001: 'try_again',
  '40P01': 'try_again',
  53: 'database_unavailable',
  '55P03': 'try_again',
  57014: 'statement_timeout',
  '57P': 'database_unavailable'
}

/** Anything thrown, as an AppError. What nobody foresaw becomes `internal`, with the original as its cause. */
export function asAppError (error: unknown): AppError {
  if (error instanceof AppError) return error
  const state = sqlState(error)
  const code = state && (sqlStates[state] ?? sqlStates[state.slice(0, 3)] ?? sqlStates[state.slice(0, 2)])
  return new AppError(code || 'internal', { cause: error })
}

/** The SQLSTATE of an error that PostgreSQL answered with (also where drizzle has wrapped it); undefined for any other. */
export function sqlState (error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e.name === 'PostgresError') return (e as Error & { code: string }).code
  }
}
