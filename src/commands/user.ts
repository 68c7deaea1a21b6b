// The people of an account, from outside: through the app role and row-level security like everything else, and written down in the log.
import { IsEmail } from 'typebox/format'
import { type Acting, changesBy } from '../audit.ts'
import { hashPassword } from '../auth/passwords.ts'
import type { Role } from '../auth/roles.ts'
import type { Config } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { users } from '../db/schema.ts'
import { mustBeSafe } from '../doctor/audit.ts'
import { AppError, CommandError, asAppError } from '../errors.ts'
import { addUser, changeUser, listUsers, mustBeFree, resetPassword } from '../people/users.ts'
import { formats } from '../routes/input.ts'
import { createDirectory } from '../tenancy/directory.ts'
import { parseHost } from '../tenancy/host.ts'
import type { Tenant } from '../tenancy/scope.ts'
import { createTenancy } from '../tenancy/tenancy.ts'
import { newPassword } from './password.ts'

interface OfAccount { readonly account: string }
interface OfUser extends OfAccount { readonly email: string }
interface NewUser extends OfUser { readonly role: Role, readonly firstName?: string, readonly lastName?: string }

/** Who the log says it was. A command may what an owner may. */
const actor = { id: null, email: 'the command user', role: 'owner' } as const

/** Runs `work` in a transaction of the account. */
type Within = <T>(work: (tenant: Tenant) => Promise<T>, mode?: 'read only') => Promise<T>

export async function create (config: Config, signal: AbortSignal, flags: NewUser): Promise<void> {
  const email = addressOf(flags.email)
  const [local, domain] = email.split(/@(?=[^@]*$)/) as [string, string]
  const [firstName, lastName] = [nameOf('--first-name', flags.firstName ?? local), nameOf('--last-name', flags.lastName ?? domain)]
  await inAccount(config, flags, async within => {
    await within(tenant => mustBeFree(tenant, email), 'read only') // before anybody thinks of a password
    const passwordHash = await hashPassword(await newPassword(email, signal))
    const { role } = flags
    await within(tenant => addUser(changesBy(actor, tenant), tenant, { email, firstName, lastName, role, passwordHash }))
    console.log(`${email} can sign in now, as ${role}.`)
  })
}

export async function reset (config: Config, signal: AbortSignal, flags: OfUser): Promise<void> {
  const email = addressOf(flags.email)
  await inAccount(config, flags, async within => {
    const { id, isActive } = await within(tenant => find(tenant, email), 'read only')
    const passwordHash = await hashPassword(await newPassword(email, signal))
    await within(tenant => resetPassword(acting(tenant), id, passwordHash))
    console.log(`${email} has another password; all sessions and API tokens have ended.${isActive ? '' : ' This user is inactive, and stays so.'}`)
  })
}

export async function list (config: Config, signal: AbortSignal, flags: OfAccount): Promise<void> {
  await inAccount(config, flags, within => within(async tenant => {
    let from: string | undefined
    do {
      signal.throwIfAborted()
      const { rows, next } = await listUsers(tenant, { limit: 1_000, from })
      for (const { email, role, isActive } of rows) console.log(`${email.replace(/\p{C}/gu, '?')}   ${role}${isActive ? '' : ', inactive'}`)
      from = next() ?? undefined
    } while (from !== undefined)
  }, 'read only'))
}

export async function deactivate (config: Config, _signal: AbortSignal, flags: OfUser): Promise<void> {
  const email = addressOf(flags.email)
  await inAccount(config, flags, async within => {
    await within(async tenant => changeUser(acting(tenant), (await find(tenant, email)).id, { isActive: false }))
    console.log(`${email} cannot sign in any more; all sessions and API tokens have ended.`)
  })
}

const acting = (tenant: Tenant): Acting<typeof actor> => ({ tenant, user: async () => actor })

/** @throws {CommandError} what the person at the terminal can mend */
async function inAccount (config: Config, { account: name }: OfAccount, work: (within: Within) => Promise<void>): Promise<void> {
  const database = await openDatabase(config)
  const { signing, preparedStatements } = config
  const directory = createDirectory(database.appUrl, { preparedStatements })
  const tenancy = createTenancy({ url: database.appUrl, poolMax: 2, signing, preparedStatements })
  try {
    await mustBeSafe(directory, config, database.appUrl)
    const site = parseHost(`${name}.${config.baseDomain}`, config.baseDomain)
    const account = site.kind === 'account' ? await directory.resolve(site.host) : undefined
    if (!account) throw new AppError('account_not_found')
    await work((part, mode) => tenancy.withTenant(account.id, part, mode))
  } catch (error) {
    throw explain(error)
  } finally {
    await tenancy.close()
    await directory.close()
    await database.release()
  }
}

async function find (tenant: Tenant, email: string) {
  const user = await tenant.get(users, { email })
  if (!user) throw new CommandError('Nobody in this account has this e-mail address. See: npm run user -- list')
  return user
}

/** As it is stored. As long as SMTP knows them. */
function addressOf (given: string): string {
  const email = given.toLowerCase()
  if (!IsEmail(email) || email.length > 254) throw new CommandError('--email must be an e-mail address, such as ann@example.com.')
  return email
}

function nameOf (flag: string, given: string): string {
  const size = [...given].length
  if (size < 1 || size > 500 || !formats.name!.passes.test(given)) throw new CommandError(`${flag} must be one line of 1 to 500 characters, with something to read in it.`)
  return given
}

function explain (error: unknown): unknown {
  if (error instanceof CommandError || (error as Error).name === 'AbortError') return error
  const { code, message } = asAppError(error)
  if (code === 'account_not_found' || code === 'host_not_served') return new CommandError('There is no account of this name. It is the first part of the account\'s host name, such as tenant-0.')
  return code === 'internal' ? error : new CommandError(message, { cause: error })
}
