// Row-level security: on every table that has tenants' rows, in the one shape that holds.
import { withoutFingerprint } from '../db/migrate.ts'
import { roleNames } from '../db/roles.ts'
import { type Check, holds, migrate, tenantTablesOf } from './check.ts'
import type { Policy } from './facts.ts'

const own = '(account_id = tenancy.current_account())'
const readMigrations = 'drizzle.__drizzle_migrations'

/** What gives a table of ours its two policies back. A migration does not: it has run already. */
const restore = (table: string, policies: readonly Policy[]) => 'As the owner: ' + [
  ...policies.map(policy => `drop policy ${policy.name} on ${table};`),
  `create policy tenant_isolation on ${table} as restrictive to ${roleNames.app} using ${own} with check ${own};`,
  `create policy tenant_access on ${table} to ${roleNames.app} using (true) with check (true);`
].join(' ')

/** The policies that bind the app role; the owner's own are not among them. */
const binding = (policies: readonly Policy[]) => policies.filter(policy => policy.applies)

export const tables: readonly Check[] = [
  {
    id: 'D04',
    severity: 'critical',
    title: 'Every table with tenants\' rows has row-level security',
    mend: `ENABLE and FORCE it, with both policies. For a table of ours: ${migrate}`,
    find: (facts, expected) => [
      ...expected.tables.filter(name => !facts.relations.some(relation => relation.name === name)).map(name => `The table ${name} is missing.`),
      ...tenantTablesOf(facts, expected).filter(table => !table.rls).map(({ name }) => `The table ${name} has no row-level security.`)
    ]
  },
  {
    id: 'D05',
    severity: 'critical',
    title: 'Row-level security is forced on the owner, too',
    mend: migrate,
    find: (facts, expected) => tenantTablesOf(facts, expected).filter(table => table.rls && !table.force)
      .map(({ name }) => `The table ${name} does not FORCE row-level security on its owner.`)
  },
  {
    id: 'D06',
    severity: 'high',
    title: 'Every table with row-level security has a policy that permits',
    mend: '',
    find: (facts, expected) => tenantTablesOf(facts, expected)
      .filter(({ rls, policies }) => rls && !binding(policies).some(policy => policy.permissive))
      .map(({ name, policies }) => [`No policy permits the app role anything on ${name}: the table looks empty.`, restore(name, binding(policies))])
  },
  {
    id: 'D07',
    severity: 'critical',
    title: 'No table has policies that are off',
    mend: migrate,
    find: ({ relations }) => relations.filter(({ rls, policies }) => !rls && policies.length > 0)
      .map(({ name }) => `The table ${name} has policies, but row-level security is off, so they do nothing.`)
  },
  {
    id: 'D08',
    severity: 'critical',
    title: 'Policies and tenancy functions say what this program wrote',
    mend: migrate,
    find: (facts, expected) => [
      ...tenantTablesOf(facts, expected).flatMap(({ name, policies }) => binding(policies)
        .filter(({ permissive, using, check }) => (permissive ? !['true', own].includes(using ?? '') : using !== own) || check !== using)
        .map(policy => [`The policy ${policy.name} of ${name} says using ${policy.using}, with check ${policy.check}.`, restore(name, binding(policies))] as const)),
      ...[...expected.functions].filter(([name, body]) => !facts.functions.some(each => each.name.split('(')[0] === name && withoutFingerprint(each.source) === body))
        .map(([name]) => `The function ${name} is not the one of this program${name === 'tenancy.current_account' ? `, with TENANT_SIGNING ${expected.signing ? 'on' : 'off'}` : ''}.`)
    ]
  },
  {
    id: 'D09',
    severity: 'critical',
    title: 'Every table with tenants\' rows has its two policies: one that restricts all commands to the tenant, one that permits what is left',
    mend: '',
    find: (facts, expected) => tenantTablesOf(facts, expected).filter(({ rls, policies }) => rls && !isWalled(binding(policies)))
      .map(({ name, policies }) => [`The table ${name} does not have its two policies, but ${describe(binding(policies))}.`, restore(name, binding(policies))])
  },
  {
    id: 'D10',
    severity: 'critical',
    title: 'The app role reaches no table without account_id',
    mend: 'REVOKE that, or define the table with tenantTable().',
    find: ({ relations }) => relations
      .filter(({ kind, name, account, privileges }) => kind === 'table' && account === null && privileges.length > 0 && !(name === readMigrations && privileges.join() === 'SELECT'))
      .map(({ name, privileges }) => `The app role may ${privileges.join(', ')} ${name}, whose rows belong to nobody.`)
  },
  {
    id: 'D11',
    severity: 'high',
    title: 'Every row has an account',
    mend: 'ALTER TABLE ... ALTER COLUMN account_id SET NOT NULL.',
    find: (facts, expected) => tenantTablesOf(facts, expected).filter(({ account }) => account?.nullable !== false)
      .map(({ name, account }) => account ? `${name}.account_id may be null.` : `The table ${name} has no column account_id.`)
  },
  {
    id: 'D20',
    severity: 'critical',
    title: 'The app role may select, insert, update and delete, and nothing that goes round row-level security',
    mend: migrate,
    find: ({ relations }) => relations.filter(({ kind }) => kind !== 'sequence')
      .flatMap(relation => holds(relation, 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN').map(right => `The app role may ${right} ${relation.name}.`))
  },
  {
    id: 'D23',
    severity: 'high',
    title: 'No part of a table can be reached past the table',
    mend: 'REVOKE all on it from the app role; its parent\'s policies do not bind who names it.',
    find: ({ relations }) => relations.filter(({ parents, privileges }) => parents.length > 0 && privileges.length > 0)
      .map(({ name, parents, privileges }) => `The app role may ${privileges.join(', ')} ${name}, a part of ${parents.join(', ')}.`)
  },
  {
    id: 'D39',
    severity: 'critical',
    title: 'Row-level security binds this very connection',
    mend: `${migrate} And serve as ${roleNames.app}.`,
    find: (facts, expected) => tenantTablesOf(facts, expected).filter(table => !table.bound)
      .map(({ name }) => `On ${name} row-level security does not bind ${facts.role.name}.`)
  },
  {
    id: 'D48',
    severity: 'high',
    title: 'What is only added to cannot be changed by the app role',
    mend: migrate,
    find: ({ relations }, { appendOnly }) => relations.filter(({ name }) => appendOnly.includes(name))
      .flatMap(table => holds(table, 'UPDATE', 'DELETE').map(right => `The app role may ${right} ${table.name}, which it is only to add to.`))
  }
]

function isWalled (policies: readonly Policy[]): boolean {
  const [restrictive, permissive] = [policies.filter(policy => !policy.permissive), policies.filter(policy => policy.permissive)]
  return permissive.length === 1 && restrictive.length === 1 &&
    policies.every(({ command, roles }) => command === '*' && roles.join() === roleNames.app)
}

const describe = (policies: readonly Policy[]) => policies.length === 0
  ? 'none'
  : policies.map(({ name, permissive, command, roles }) => `${name} (${permissive ? 'permissive' : 'restrictive'}, ${command === '*' ? 'all' : `for ${command}`}, to ${roles.join(', ')})`).join(' and ')
