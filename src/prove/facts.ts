// What the walls are made of, as the catalogue has it: for the report, and to see that nothing is different when a run has ended.
import { createHash } from 'node:crypto'
import { getTableName } from 'drizzle-orm'
import type { SigningKeys } from '../config.ts'
import { roleNames } from '../db/roles.ts'
import { tenantTables } from '../db/schema.ts'
import { CommandError } from '../errors.ts'
import type { Line } from './line.ts'

export interface Facts {
  readonly server: { version: string, database: string }
  /** When the transaction began by the server's clock, in seconds since 1970: what an expiry is compared with. */
  readonly now: number
  /** Whom we are connected as. */
  readonly user: string
  readonly role: Record<string, boolean | number | string>
  readonly lock: { readonly setConfigRevoked: boolean, readonly signed: boolean | null }
  /** Definitions by name. */
  readonly tables: Record<string, { rls: boolean, force: boolean, policies: Record<string, string>, rest: string }>
  readonly functions: Record<string, string>
  readonly settings: string
  /** Tables, views and the like that belong to no tenant. */
  readonly closed: { name: string, column: string, writable: boolean }[]
}

export const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** All but what a run may change. */
export const fingerprint = ({ now: _, user: __, ...walls }: Facts): string => JSON.stringify(walls)

/** @param role the one whose rights these are */
export async function readFacts (line: Line, role: string = roleNames.app): Promise<Facts> {
  const [row] = await line.ask(query(role))
  const { relations, ...facts } = row!.facts as Facts & { relations: (Facts['tables'][''] & { name: string, tenancy: boolean, column: string, kind: string })[] }
  const names = tenantTables.map(getTableName)
  const isTenanted = ({ name, tenancy }: typeof relations[0]) => !tenancy && names.includes(name)
  return {
    ...facts,
    tables: Object.fromEntries(relations.map(({ name, column: _, kind: __, tenancy: ___, ...relation }) => [name, relation])),
    closed: relations.filter(relation => !isTenanted(relation)).map(({ name, column, kind }) => ({ name, column, writable: kind === 'r' || kind === 'p' }))
  }
}

/** @throws {CommandError} in one line, if this program and that database do not belong together */
export function mustFit ({ tables, lock }: Facts, signing: SigningKeys | undefined): void {
  const missing = tenantTables.map(getTableName).filter(name => !tables[name])
  if (lock.signed === null || missing.length > 0) {
    throw new CommandError(`The database has no ${missing.join(', ') || 'tenancy functions'}: its migrations are behind this program. Run: npm run db:migrate`)
  }
  if (lock.signed !== (signing !== undefined)) {
    throw new CommandError(`TENANT_SIGNING is ${signing ? 'on' : 'off'}, but the database expects ${lock.signed ? 'a signed' : 'an unsigned'} tenant context.`)
  }
}

const query = (role: string) => `
  select json_build_object(
    'server', json_build_object('version', current_setting('server_version'), 'database', current_database()),
    'now', floor(extract(epoch from now())),
    'user', current_user,
    'role', (select json_build_object('name', rolname, 'superuser', rolsuper, 'bypassrls', rolbypassrls, 'createrole', rolcreaterole, 'createdb', rolcreatedb,
        'replication', rolreplication, 'inherit', rolinherit,
        'member_of', (select coalesce(string_agg(roleid::regrole::text, ', ' order by 1), '') from pg_auth_members where member = r.oid))
      from pg_roles r where rolname = '${role}'),
    'lock', json_build_object(
      'setConfigRevoked', not has_function_privilege('${role}', 'pg_catalog.set_config(text, text, boolean)', 'execute'),
      'signed', (select prosecdef from pg_proc where pronamespace = to_regnamespace('tenancy') and proname = 'current_account')),
    'relations', (select coalesce(json_agg(json_build_object(
        'name', case nspname when 'public' then quote_ident(relname) else format('%I.%I', nspname, relname) end, 'tenancy', nspname = 'tenancy',
        'rls', relrowsecurity, 'force', relforcerowsecurity, 'kind', relkind,
        'column', (select quote_ident(attname) from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped order by attnum limit 1),
        'policies', (select coalesce(json_object_agg(polname, concat_ws(' ', polpermissive, polcmd, polroles::regrole[], 'using',
            pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid)) order by polname), '{}') from pg_policy where polrelid = c.oid),
        'rest', concat_ws(' ', pg_get_userbyid(relowner), relacl,
          (select string_agg(concat_ws(' ', attname, attacl), ',' order by attnum) from pg_attribute where attrelid = c.oid and attnum > 0),
          (select string_agg(concat_ws(' ', conname, pg_get_constraintdef(oid)), ',' order by conname) from pg_constraint where conrelid = c.oid))
      ) order by nspname, relname), '[]')
      from pg_class c join pg_namespace n on n.oid = relnamespace where nspname in ('public', 'tenancy') and relkind in ('r', 'p', 'v', 'm', 'f')),
    'functions', (select coalesce(json_object_agg(oid::regprocedure, pg_get_functiondef(oid) order by oid), '{}')
      from pg_proc where pronamespace = to_regnamespace('tenancy')),
    'settings', concat_ws(' ',
      (select string_agg(concat_ws(' ', oid::regprocedure, pg_get_userbyid(proowner), proacl), ',' order by oid) from pg_proc
        where pronamespace = to_regnamespace('tenancy') or oid = 'pg_catalog.set_config(text, text, boolean)'::regprocedure),
      (select string_agg(concat_ws(' ', nspname, nspacl), ',' order by nspname) from pg_namespace where nspname in ('public', 'tenancy')),
      (select concat_ws(' ', datname, datacl) from pg_database where datname = current_database()),
      (select string_agg(concat_ws(' ', setdatabase, setrole::regrole, setconfig), ',' order by setdatabase, setrole) from pg_db_role_setting
        where setdatabase in (0, (select oid from pg_database where datname = current_database())) and setrole in (0, (select oid from pg_roles where rolname = '${role}'))))
  ) as facts`
