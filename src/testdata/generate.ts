// Accounts full of plausible data, the same bytes for the same seed. What an account holds depends on the seed and its number alone,
// so ten accounts at once are the same as five and then five more.
import type { Faker } from '@faker-js/faker'
import { faker } from '@faker-js/faker/locale/en' // alone: all languages take a fifth of a second to load
import { hash } from '@node-rs/argon2'
import { v7 } from 'uuid'
import { roles } from '../auth/roles.ts'
import { accounts, projects, subtasks, tasks, users } from '../db/schema.ts'
import type { TenantTable } from '../db/tenant-table.ts'
import type { NewRow } from '../tenancy/query.ts'
import type { Tenant } from '../tenancy/scope.ts'
import type { Amounts, Range } from './amounts.ts'

export interface AccountData {
  readonly account: NewRow<typeof accounts>
  readonly users: NewRow<typeof users>[]
  readonly projects: NewRow<typeof projects>[]
  readonly tasks: NewRow<typeof tasks>[]
  readonly subtasks: NewRow<typeof subtasks>[]
}

export const slugOf = (number: number) => `tenant-${number}`

/** Everybody's, in test accounts. */
export const demoPassword = 'password'

/** argon2id of it, in OWASP's parameters (the library's defaults). The salt comes from the seed. */
export function demoPasswordHash (seed: number): Promise<string> {
  return hash(demoPassword, { salt: Buffer.from(`rowhouse-${seed}`.padEnd(16, '.')).subarray(0, 16) })
}

/** @param number the account's, from 0; its slug is `tenant-<number>` */
export function generateAccount (seed: number, number: number, amounts: Amounts, passwordHash: string): AccountData {
  faker.seed([seed, number])
  const newId = ids(() => faker.number.float(), number)
  const many = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i))
  const draw = (range: Range) => faker.number.int(range)
  const title = () => capitalised(`${faker.hacker.verb()} the ${faker.hacker.adjective()} ${faker.hacker.noun()}`)
  const phrase = phrases(faker)
  const sentence = () => capitalised(phrase())

  const account = { slug: slugOf(number), name: faker.company.name() }
  const userRows = many(draw(amounts.users), i => {
    const [firstName, lastName] = [faker.person.firstName(), faker.person.lastName()]
    const email = `${firstName}.${lastName}-${i}@example.com`.toLowerCase().replace(/[^a-z0-9.@-]/g, '')
    const role = roles[Math.min(i, roles.length - 1)]! // one of each, and then viewers
    return { id: newId(), email, firstName, lastName, isActive: true, dateJoined: faker.date.between(years), passwordHash, role }
  })
  const projectRows = many(draw(amounts.projects), () => ({ id: newId(), name: faker.company.catchPhrase(), details: sentence() }))
  const work = () => ({ name: title(), isComplete: faker.datatype.boolean(), details: sentence() })
  const taskRows = many(draw(amounts.tasks) * projectRows.length, () => ({
    id: newId(), projectId: faker.helpers.arrayElement(projectRows).id, ...work()
  }))
  const subtaskRows = many(draw(amounts.subtasks) * taskRows.length, () => ({
    id: newId(), taskId: faker.helpers.arrayElement(taskRows).id, ...work()
  }))
  return { account, users: userRows, projects: projectRows, tasks: taskRows, subtasks: subtaskRows }
}

/** faker.hacker.phrase(), text for text. That one searches its pattern anew for every word, which took most of the time. */
function phrases ({ definitions, hacker, helpers }: Faker): () => string {
  const patterns = definitions.hacker.phrase.map(pattern => pattern.split(/\{\{hacker\.(\w+)\}\}/))
  return () => helpers.arrayElement(patterns).map((part, i) => i % 2 === 0 ? part : hacker[part as 'noun']()).join('')
}

const capitalised = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)

const years = { from: '2020-01-01T00:00:00Z', to: '2025-01-01T00:00:00Z' }

/** UUID v7, but of a clock that starts in 2025 for every account and ticks once a row. */
function ids (random: () => number, account: number): () => string {
  let tick = Date.UTC(2025, 0) + account
  const words = new Uint32Array(4)
  return () => {
    for (let i = 0; i < 4; i++) words[i] = random() * 2 ** 32
    return v7({ msecs: tick++, seq: words[3]!, random: new Uint8Array(words.buffer) })
  }
}

/** Few enough that the database has the first rows to insert while the others are still being put together. */
const rowsPerStatement = 500

/** Writes one account's data, in the transaction of that account. All of it is sent before anything is answered. */
export async function writeAccount (tenant: Tenant, data: AccountData): Promise<void> {
  await Promise.all([
    tenant.insert(accounts, data.account),
    ...insertInParts(tenant, users, data.users),
    ...insertInParts(tenant, projects, data.projects),
    ...insertInParts(tenant, tasks, data.tasks),
    ...insertInParts(tenant, subtasks, data.subtasks)
  ])
}

function insertInParts<T extends TenantTable> (tenant: Tenant, table: T, rows: NewRow<T>[]): Promise<number>[] {
  const starts = Array.from({ length: Math.ceil(rows.length / rowsPerStatement) }, (_, i) => i * rowsPerStatement)
  return starts.map(start => tenant.insertMany(table, rows.slice(start, start + rowsPerStatement)))
}
