// The only reader of the environment. Every variable is one line here, one in env.example and one in the README.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { Ajv } from 'ajv'
import { CommandError } from './errors.ts'

const postgresUrl = (who: string) => ({
  type: 'string',
  pattern: '^postgres(ql)?://[^/@:]+(:[^/@]*)?@[^/@]+/[^/?]+(\\?.*)?$',
  description: `a URL, postgres://user:password@host:port/database, with an sslmode of PostgreSQL's if any (${who})`
})
const signingKey = (when: string) => ({
  type: 'string', pattern: '^[\\x21-\\x7e]{32,}$', description: `at least 32 random characters, 10 different ones among them (${when})`
})
/** Digits: of a schema's integer the validator would also read 0x10, 1e3, and a blank as 0. */
const whole = (standard: string, description: string) => ({ type: 'string', default: standard, pattern: '^(0|[1-9][0-9]{0,5})$', description })

/** Descriptions say what is allowed: they complete "VARIABLE is ..., but must be ...". */
const variables = {
  NODE_ENV: { type: 'string', enum: ['development', 'production', 'test'], default: 'development', description: 'development, production or test' },
  HOST: { type: 'string', default: 'localhost', pattern: '^[A-Za-z0-9.:-]+$', description: 'a name or address to listen on' },
  PORT: whole('3000', 'a port number, 0 to 65535 (0: any free one)'),
  BASE_DOMAIN: {
    type: 'string',
    default: 'localhost',
    pattern: '^(?=.{1,190}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$',
    description: 'a domain in lower case without scheme, port or trailing dot; accounts live at its subdomains'
  },
  TRUST_PROXY: {
    type: 'string',
    pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?(,[0-9a-fA-F.:]+(/[0-9]{1,3})?)*$',
    description: 'a list of proxy addresses or networks, separated by commas; not everybody'
  },
  LOG_LEVEL: {
    type: 'string', enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], description: 'fatal, error, warn, info, debug, trace or silent'
  },
  DATABASE_URL: postgresUrl('the app role; unset: an embedded server'),
  OWNER_DATABASE_URL: postgresUrl('the owner role; for migrations and createtestdata'),
  ADMIN_DATABASE_URL: postgresUrl('a role that may create roles and databases; for db:setup, doctor and prove --mutate'),
  POOL_MAX: whole('10', 'a number of connections, 2 to 200'),
  WEB_CONCURRENCY: whole('1', 'a number of processes, 1 to 64'),
  PREPARED_STATEMENTS: { type: 'string', enum: ['on', 'off'], default: 'on', description: 'on or off' },
  TENANT_SIGNING: { type: 'string', enum: ['off', 'on'], default: 'off', description: 'off or on' },
  TENANT_SIGNING_KEY: signingKey('with TENANT_SIGNING=on'),
  TENANT_SIGNING_KEY_PREVIOUS: signingKey('while a key is being rotated'),
  RATE_LIMIT_SESSION: whole('600', 'a number of requests a minute (0: any)'),
  RATE_LIMIT_ACCOUNT: whole('6000', 'a number of requests a minute (0: any)'),
  DATA_DIR: { type: 'string', default: '.data', minLength: 1, description: 'a folder for the embedded server' }
}

/** A JSON Schema of all of them. */
export const environment = { type: 'object', properties: variables }

type Environment = { [name in keyof typeof variables]: (typeof variables)[name] extends { default: string } ? string : string | undefined }

export interface SigningKeys { readonly current: string, readonly previous?: string | undefined }

export interface Config {
  readonly production: boolean
  readonly host: string
  readonly port: number
  readonly baseDomain: string
  readonly trustProxy: readonly string[]
  /** Undefined: as the command sees fit. */
  readonly logLevel?: string | undefined
  /** Undefined where the embedded server is to be used. */
  readonly databaseUrl?: string | undefined
  readonly ownerDatabaseUrl?: string | undefined
  readonly adminDatabaseUrl?: string | undefined
  /** Of all processes together. */
  readonly poolMax: number
  readonly processes: number
  /** False behind a pooler that does not carry named prepared statements. */
  readonly preparedStatements: boolean
  /** Undefined where the tenant context is not signed. */
  readonly signing?: SigningKeys | undefined
  /** Requests a minute, over all processes; 0: any. */
  readonly rateLimits: { readonly session: number, readonly account: number }
  readonly dataDir: string
}

/**
 * Reads and checks the configuration, once, at start.
 * @throws {CommandError} one line: the variable, what it was, and what is allowed
 */
export function loadConfig (source: NodeJS.ProcessEnv = process.env, dotenv = true): Config {
  const env = read(source, dotenv)
  for (const [name, isAllowed] of Object.entries(checks) as [keyof Environment, (value: string) => boolean][]) {
    const value = env[name]
    if (value !== undefined && !isAllowed(value)) throw new CommandError(explain(name, value))
  }
  if (env.OWNER_DATABASE_URL && !env.DATABASE_URL) {
    throw new CommandError('DATABASE_URL is not set, but OWNER_DATABASE_URL is: set both, or neither to use the embedded server.')
  }
  const processes = Number(env.WEB_CONCURRENCY)
  if (processes > 1 && Number(env.POOL_MAX) < 2 * processes) {
    throw new CommandError(`POOL_MAX is "${env.POOL_MAX}", but must be at least ${2 * processes} with WEB_CONCURRENCY=${processes}: two connections for each process.`)
  }
  return {
    production: env.NODE_ENV === 'production',
    host: env.HOST,
    port: Number(env.PORT),
    baseDomain: env.BASE_DOMAIN,
    trustProxy: env.TRUST_PROXY?.split(',') ?? [],
    logLevel: env.LOG_LEVEL,
    databaseUrl: env.DATABASE_URL,
    ownerDatabaseUrl: env.OWNER_DATABASE_URL,
    adminDatabaseUrl: env.ADMIN_DATABASE_URL,
    poolMax: Number(env.POOL_MAX),
    processes,
    preparedStatements: env.PREPARED_STATEMENTS === 'on',
    signing: signing(env),
    rateLimits: { session: Number(env.RATE_LIMIT_SESSION), account: Number(env.RATE_LIMIT_ACCOUNT) },
    dataDir: resolve(env.DATA_DIR)
  }
}

/** What a pattern cannot say. */
const checks: Partial<Record<keyof Environment, (value: string) => boolean>> = {
  PORT: text => Number(text) <= 65535,
  POOL_MAX: text => Number(text) >= 2 && Number(text) <= 200,
  WEB_CONCURRENCY: text => Number(text) >= 1 && Number(text) <= 64,
  TRUST_PROXY: list => list.split(',').every(isNetwork),
  DATABASE_URL: isReadable,
  OWNER_DATABASE_URL: isReadable,
  ADMIN_DATABASE_URL: isReadable
}

/** An address, or a network of some: of length 0 it would be everybody, and anyone could say from which address and for which host they ask. */
function isNetwork (text: string): boolean {
  const [address = '', length] = text.split('/')
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)]!
  return bits > 0 && (length === undefined || (Number(length) >= 1 && Number(length) <= bits))
}

/** A URL whose every part can be read. postgres.js takes an sslmode that it does not know for the strictest, and says nothing. */
function isReadable (text: string): boolean {
  try {
    if (/\s/.test(text)) return false // URL would leave it out
    const { username, password, pathname, searchParams } = new URL(text)
    for (const part of [username, password, pathname]) decodeURIComponent(part)
    return ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'].includes(searchParams.get('sslmode') ?? 'prefer')
  } catch {
    return false
  }
}

const isEnvironment = new Ajv({ useDefaults: true, verbose: true }).compile<Environment>(environment) // verbose: errors carry the value

function read (source: NodeJS.ProcessEnv, dotenv: boolean): Environment {
  const set = { ...dotenv && readDotenv(), ...source }
  const env = Object.fromEntries(Object.entries(set).filter(([, value]) => value !== '')) // VARIABLE= means: not set
  if (isEnvironment(env)) return env
  const { instancePath, data } = isEnvironment.errors![0]!
  throw new CommandError(explain(instancePath.slice(1) as keyof Environment, data))
}

/** What the file .env sets, if there is one. */
function readDotenv (): NodeJS.ProcessEnv {
  try {
    return parseEnv(readFileSync('.env', 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    throw new CommandError(`The file .env cannot be read (${code}).`, { cause: error })
  }
}

function explain (name: keyof Environment, data: unknown): string {
  return `${name} is ${withoutSecrets(name, data)}, but must be ${allowed(name)}.`
}

function withoutSecrets (name: string, data: unknown): string {
  if (/_KEY/.test(name)) return `of ${String(data).length} characters`
  return JSON.stringify(/_URL$/.test(name) ? withoutPassword(String(data)) : data)
}

/** Where a password begins and ends is not known of a URL that is not well formed: only what stands before and after all of it is shown. */
function withoutPassword (url: string): string {
  const [, scheme = '', , place = ''] = /^(\w+:\/\/)?(.*@)?([^@?]*)/s.exec(url)!
  return url.includes('@') ? `${scheme}***@${place}` : `${scheme}***`
}

/** What a variable may be, in words. */
export function allowed (name: keyof Environment): string {
  return variables[name].description
}

function signing (env: Environment): SigningKeys | undefined {
  if (env.TENANT_SIGNING === 'off') return undefined
  for (const name of ['TENANT_SIGNING_KEY', 'TENANT_SIGNING_KEY_PREVIOUS'] as const) {
    const key = env[name]
    if (key === undefined ? name === 'TENANT_SIGNING_KEY' : new Set(key).size < 10) {
      throw new CommandError(`${name} is ${key === undefined ? 'not set' : 'too weak'}, but must be ${allowed(name)}. ` +
        'Make one with: openssl rand -hex 32')
    }
  }
  return { current: env.TENANT_SIGNING_KEY!, previous: env.TENANT_SIGNING_KEY_PREVIOUS }
}

/** What one of several processes is told by the one that starts it (cluster.ts). */
export interface Task {
  readonly config: Config
  readonly appUrl: string
  /** Its part of the connections. */
  readonly poolMax: number
  /** Whether nobody serves yet. */
  readonly first: boolean
  /** The process whose place it takes, and how that one ended. */
  readonly replaces?: { readonly pid: number | undefined, readonly how: string, readonly inOrder: boolean } | undefined
}

/** All of it, as one variable: .env may have been changed since, and two processes must not serve by two configurations. */
export const processTask = {
  environment: (task: Task) => ({ ROWHOUSE_TASK: JSON.stringify(task) }),
  read: (): Task | undefined => process.env.ROWHOUSE_TASK === undefined ? undefined : JSON.parse(process.env.ROWHOUSE_TASK) as Task
}

/** How the db:studio command tells drizzle.config.ts, in a process of its own, where to connect. */
export const drizzleKit = {
  environment: (url: string): NodeJS.ProcessEnv => ({ ...process.env, DRIZZLE_KIT_URL: url }),
  url: (): string | undefined => process.env.DRIZZLE_KIT_URL
}
