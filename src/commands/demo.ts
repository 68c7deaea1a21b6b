import { eq } from 'drizzle-orm'
import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { users } from '../db/schema.ts'
import { testHosts } from '../db/test-hosts.ts'
import { defaultAmounts } from '../testdata/amounts.ts'
import { createTestData, idOf } from '../testdata/create.ts'
import { demoPassword, slugOf } from '../testdata/generate.ts'
import { type Row, query } from '../tenancy/query.ts'
import { createTenancy } from '../tenancy/tenancy.ts'
import { serve } from './start.ts'

export default async function (config: Config, signal: AbortSignal): Promise<void> {
  const database = await openDatabase(config)
  let accounts: number[]
  let people: Person[]
  try {
    accounts = await demoAccounts(config, database, signal)
    people = await peopleOf(config, database, accounts[0] ?? 0)
  } catch (error) {
    await database.release()
    throw error
  }
  const port = await serve(config, database, config.logLevel ?? 'warn', signal)
  console.log(welcome(config, database, accounts, people, port))
}

async function demoAccounts (config: Config, database: Database, signal: AbortSignal): Promise<number[]> {
  const hosts = await testHosts(database.ownerUrl, config.baseDomain)
  try {
    if ((await hosts.list()).length === 0) {
      await createTestData(config, database, {
        accounts: 5,
        amounts: defaultAmounts,
        seed: 0,
        append: false,
        reset: false,
        rollback: false,
        quiet: true
      }, signal)
    }
    return await hosts.list()
  } finally {
    await hosts.close()
  }
}

type Person = Pick<Row<typeof users>, 'email' | 'role'>

/** Who can sign in to this account. */
async function peopleOf ({ signing, preparedStatements }: Config, { appUrl }: Database, number: number): Promise<Person[]> {
  const tenancy = createTenancy({ url: appUrl, poolMax: 2, signing, preparedStatements })
  try {
    const active = query({ from: users, columns: { email: users.email, role: users.role }, where: eq(users.isActive, true), orderBy: [users.id] })
    return await tenancy.withTenant(idOf(number), tenant => tenant.select(active), 'read only')
  } finally {
    await tenancy.close()
  }
}

function welcome ({ baseDomain }: Config, { appUrl, ownerUrl, adminUrl }: Database, accounts: number[], people: Person[], port: number): string {
  const url = (host: string, path = '/') => `http://${host}${port === 80 ? '' : `:${port}`}${path}`
  const hostOf = (number: number) => `${slugOf(number)}.${baseDomain}`
  const shown = accounts.slice(0, 5)
  const first = url(hostOf(shown[0] ?? 0))
  const more = accounts.length > shown.length ? [`  ... up to ${hostOf(accounts.at(-1)!)}`] : []
  return ['',
    'Rowhouse is ready. Open an account in a browser:',
    ...shown.map(number => `  ${url(hostOf(number))}`), ...more, '',
    `Sign in to the first one as any of these; every password is "${demoPassword}":`,
    ...people.slice(0, 5).map(({ email, role }) => `  ${email}   ${role}`), '',
    'Try next:',
    `  curl -s -c cookies -H 'Origin: ${first.replace(/\/$/, '')}' -d 'email=${people[0]?.email ?? ''}&password=${demoPassword}' ${first}sign-in`,
    `  curl -s -b cookies '${first}api/subtasks?page=2&limit=5'`,
    `  ${url(hostOf(shown[0] ?? 0), '/api/docs')}   the API, to read and try`,
    '  npm run createtestdata -- --accounts 200 --append   (in another terminal)', '',
    'The database, for psql:',
    `  app role   ${appUrl}   sees nothing until: begin; select tenancy.enter('1');`,
    `  owner      ${ownerUrl}`,
    ...(adminUrl ? [`  superuser  ${adminUrl}   sees everything: row-level security does not bind it`] : []), '',
    'Ctrl-C stops everything.', ''
  ].join('\n')
}
