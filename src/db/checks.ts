// Is this database safe to serve from? Named checks with stable ids, on facts that one query reads as the app role itself. The server
// does not start while one of them fails.
import { getTableName } from 'drizzle-orm'
import type { SigningKeys } from '../config.ts'
import { CommandError } from '../errors.ts'
import { accountId } from '../tenancy/account.ts'
import { contextOf } from '../tenancy/context.ts'
import type { Directory } from '../tenancy/directory.ts'
import { expectedVersion } from './migrate.ts'
import { roleNames, unreachable } from './roles.ts'
import { tenantTables } from './schema.ts'

export interface Finding { readonly id: string, readonly problem: string }

interface Facts {
  readonly role: { name: string, super: boolean, bypassrls: boolean, createrole: boolean, createdb: boolean, replication: boolean }
  readonly owned: string[]
  readonly tables: { name: string, rls: boolean, force: boolean, policies: Policy[] }[]
  readonly migrations: string[]
  readonly walls: string | null
  readonly set_config: boolean
  readonly signed: boolean | null
}
interface Policy { name: string, permissive: boolean, command: string, roles: string[], using: string | null, check: string | null }

interface Expected { readonly migration: string, readonly walls: string, readonly signing: boolean }

interface Check {
  /** The number in the catalogue of checks; stable. */
  readonly id: string
  /** What is wrong, each as a sentence that says how to mend it; nothing if all is well. */
  readonly find: (facts: Facts, expected: Expected) => string[]
}

const migrate = 'Run: npm run db:migrate'

export const checks: readonly Check[] = [
  {
    id: 'D01',
    find: ({ role }) => [
      role.super && `The role ${role.name} is a superuser, whom row-level security does not bind. Serve as rowhouse_app.`,
      role.bypassrls && `The role ${role.name} has BYPASSRLS. Serve as rowhouse_app, or take that right away.`,
      (role.createrole || role.createdb || role.replication) && `The role ${role.name} may create roles or databases, or replicate. Take these rights away.`
    ].filter(found => found !== false)
  },
  { id: 'D03', find: ({ role, owned }) => owned.length ? [`The role ${role.name} owns ${owned.join(', ')}, and an owner can lift its walls. Serve as rowhouse_app.`] : [] },
  {
    id: 'D41',
    find: ({ migrations, walls }, expected) =>
      migrations.includes(expected.migration) && walls === `walls ${expected.walls}` ? [] : [`The database's migrations are behind this program. ${migrate}`]
  },
  { id: 'D04', find: facts => each(facts, table => !table || !table.rls, 'has no row-level security') },
  { id: 'D05', find: facts => each(facts, table => !!table && !table.force, 'does not FORCE row-level security on its owner') },
  { id: 'D09', find: facts => each(facts, table => !!table && !isWalled(table.policies), 'does not have its two policies') },
  {
    id: 'D28',
    find: ({ set_config: setConfig, signed }, { signing }) => [
      setConfig && !signing && 'The role may call set_config, with which an injected SELECT could name another tenant. ' +
        'Run npm run db:setup as a superuser, or set TENANT_SIGNING=on.',
      signed !== signing && `TENANT_SIGNING is ${signing ? 'on' : 'off'}, but the database expects ${signed ? 'a signed' : 'an unsigned'} tenant context. ${migrate}`
    ].filter(found => found !== false)
  }
]

export interface Doors { readonly directory: Directory, readonly signing: SigningKeys | undefined }

/** Every check on the database behind this door; an empty list means that it is safe to serve from. */
export async function audit ({ directory, signing }: Doors): Promise<Finding[]> {
  const expected = { ...await expectedVersion(), signing: signing !== undefined }
  const facts = await readFacts(directory)
  const findings = checks.flatMap(({ id, find }) => find(facts, expected).map(problem => ({ id, problem })))
  if (findings.length > 0 || await directory.accepts(contextOf(accountId(1), signing))) return findings
  return [{ id: 'D40', problem: 'The database does not accept the tenant contexts that TENANT_SIGNING_KEY signs. With that key set, run: npm run db:migrate' }]
}

/** @throws {CommandError} in one sentence, if the database cannot be reached or is not safe */
export async function mustBeSafe (doors: Doors): Promise<void> {
  const [finding] = await audit(doors).catch(error => {
    throw unreachable('DATABASE_URL', error)
  })
  if (finding) throw new CommandError(`This database is not safe to serve from. ${finding.problem} (${finding.id})`)
}

function each ({ tables }: Facts, wrong: (table: Facts['tables'][0] | undefined) => boolean, problem: string): string[] {
  return tenantTables.map(getTableName)
    .filter(name => wrong(tables.find(table => table.name === name)))
    .map(name => `The table ${name} ${problem}. ${migrate}`)
}

const own = '(account_id = tenancy.current_account())'

/** For the app role, exactly these two: one that restricts every command to the tenant's rows, and one that grants what that leaves. */
function isWalled (policies: Policy[]): boolean {
  const ours = policies.filter(policy => policy.roles.some(role => role !== roleNames.owner))
  const is = (policy: Policy, permissive: boolean, expression: string) => policy.permissive === permissive && policy.command === '*' &&
    policy.roles.join() === roleNames.app && policy.using === expression && policy.check === expression
  return ours.length === 2 && ours.some(policy => is(policy, false, own)) && ours.some(policy => is(policy, true, 'true'))
}

async function readFacts (directory: Directory): Promise<Facts> {
  const [row] = await directory.ask<{ facts: string }>(factsQuery)
  const facts = JSON.parse(row!.facts) as Omit<Facts, 'migrations'>
  // Not part of the query above, because the table is there only after the first migration.
  const migrations = await directory.ask<{ hash: string }>('select hash from drizzle.__drizzle_migrations').catch(() => [])
  return { ...facts, migrations: migrations.map(({ hash }) => hash) }
}

const factsQuery = `
  select json_build_object(
    'role', (select json_build_object('name', rolname, 'super', rolsuper, 'bypassrls', rolbypassrls, 'createrole', rolcreaterole,
                                      'createdb', rolcreatedb, 'replication', rolreplication)
               from pg_roles where rolname = current_user),
    'owned', (select coalesce(json_agg(relname), '[]') from pg_class
               where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and pg_get_userbyid(relowner) = current_user),
    'tables', (select coalesce(json_agg(json_build_object('name', c.relname, 'rls', c.relrowsecurity, 'force', c.relforcerowsecurity,
        'policies', (select coalesce(json_agg(json_build_object('name', polname, 'permissive', polpermissive, 'command', polcmd,
            'roles', (select json_agg(case role when 0 then 'public' else pg_get_userbyid(role) end) from unnest(polroles) role),
            'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid))), '[]')
          from pg_policy where polrelid = c.oid))), '[]')
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')),
    'walls', (select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'tenancy'),
    'set_config', has_function_privilege('pg_catalog.set_config(text, text, boolean)', 'execute'),
    'signed', (select prosecdef from pg_proc where pronamespace = to_regnamespace('tenancy') and proname = 'current_account')
  )::text as facts`
