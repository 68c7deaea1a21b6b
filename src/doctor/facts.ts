// What the doctor looks at: one reading of the catalogue and of this connection, as the role that asks. One query, one JSON.
export interface Facts {
  readonly role: RoleFacts
  readonly server: ServerFacts
  readonly session: Readonly<Record<'row_security' | 'statement_timeout' | 'idle_in_transaction_session_timeout' | 'lock_timeout' |
    'client_connection_check_interval', string>> & {
      readonly transaction_timeout: string | null
      readonly tenant: string | null
      readonly ssl: boolean
    }
  readonly database: {
    readonly name: string
    readonly owner: string
    readonly create: boolean
    readonly temporary: boolean
    readonly connectionLimit: number
  }
  readonly schemas: readonly { readonly name: string, readonly owner: string, readonly create: boolean }[]
  readonly relations: readonly Relation[]
  readonly functions: readonly FunctionFacts[]
  /** Built-in functions of those asked about that the role may call. */
  readonly callable: readonly string[]
  readonly extensions: readonly string[]
  /** Untrusted ones; c and internal aside. */
  readonly languages: readonly string[]
  /** What ALTER DEFAULT PRIVILEGES gives to everybody, or to this role. */
  readonly defaults: readonly string[]
  readonly published: readonly { readonly table: string, readonly publication: string }[]
  /** Roles under which programs of ours are connected to this database. */
  readonly servingRoles: readonly string[]
  readonly walls: string | null
  readonly migrations: 'readable' | 'missing'
}

export interface RoleFacts {
  readonly name: string
  /** SUPERUSER, BYPASSRLS, CREATEROLE, CREATEDB, REPLICATION, as far as it has them. */
  readonly rights: readonly string[]
  readonly connectionLimit: number
  readonly memberships: readonly { readonly role: string, readonly mighty: boolean, readonly owns: boolean }[]
  /** As ALTER ROLE set them, for every database or for this one: 'name=value'. */
  readonly settings: readonly string[]
  /** Roles and databases for which somebody has fixed app.current_tenant. */
  readonly fixedTenants: readonly string[]
}

export interface ServerFacts {
  readonly version: number
  readonly encoding: string
  readonly timezone: string
  readonly passwordEncryption: string
  /** Connections that are not kept for superusers. */
  readonly connections: number
  /** Milliseconds since 1970, when the query ran. */
  readonly clock: number
}

export interface Relation {
  /** With its schema, unless that is public. */
  readonly name: string
  readonly kind: 'table' | 'view' | 'materialized view' | 'foreign table' | 'sequence'
  readonly owner: string
  /** What the role may do with it or with a column of it: SELECT, INSERT, ... USAGE for a sequence. */
  readonly privileges: readonly string[]
  /** Its column account_id; null if it has none. */
  readonly account: { readonly number: number, readonly nullable: boolean } | null
  readonly rls: boolean
  readonly force: boolean
  /** Does row-level security bind this very connection on it? */
  readonly bound: boolean
  readonly invoker: boolean
  readonly parents: readonly string[]
  readonly policies: readonly Policy[]
  readonly indexes: readonly { readonly name: string, readonly unique: boolean, readonly columns: readonly number[], readonly whole: boolean }[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly triggers: readonly string[]
  readonly rules: readonly string[]
}

export interface Policy {
  readonly name: string
  readonly permissive: boolean
  /** '*' for all of them. */
  readonly command: string
  readonly roles: readonly string[]
  readonly using: string | null
  readonly check: string | null
  /** Does it apply to the role that asks? */
  readonly applies: boolean
}

export interface ForeignKey {
  readonly name: string
  readonly to: string
  /** Pairs of column numbers: ours, theirs. */
  readonly columns: readonly (readonly [number, number])[]
  /** Checked for every row that is there, and for every row to come. */
  readonly enforced: boolean
}

export interface FunctionFacts {
  /** With its schema and its argument types. */
  readonly name: string
  readonly schema: string
  readonly source: string
  readonly owner: string
  readonly ownerIsSuper: boolean
  readonly definer: boolean
  readonly leakproof: boolean
  readonly fixedSearchPath: boolean
  readonly executable: boolean
}

const system = "(n.nspname in ('pg_catalog', 'information_schema') or n.nspname ~ '^pg_(toast|temp)')"
const qualified = (schema: string, name: string) => `case ${schema} when 'public' then ${name}::text else ${schema} || '.' || ${name} end`
const list = (query: string) => `(select coalesce(json_agg(x), '[]') from (${query}) x)`
const names = (query: string) => `(select coalesce(json_agg(x.name order by x.name), '[]') from (${query}) x(name))`
const roleName = (oid: string) => `case ${oid} when 0 then 'public' else pg_get_userbyid(${oid})::text end`

const relations = list(`
  select ${qualified('n.nspname', 'c.relname')} as name,
         case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' when 'S' then 'sequence' else 'table' end as kind,
         pg_get_userbyid(c.relowner) as owner,
         ${names(`select p from unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p where has_table_privilege(c.oid, p)
             or p in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege(c.oid, p)
           union all select 'USAGE' where c.relkind = 'S' and has_sequence_privilege(c.oid, 'USAGE')
           union all select 'MAINTAIN' where case when current_setting('server_version_num')::int >= 170000 then has_table_privilege(c.oid, 'MAINTAIN') end`)} as privileges,
         (select json_build_object('number', attnum, 'nullable', not attnotnull) from pg_attribute
           where attrelid = c.oid and attname = 'account_id' and not attisdropped) as account,
         c.relrowsecurity as rls, c.relforcerowsecurity as force, c.relkind in ('r', 'p') and row_security_active(c.oid) as bound,
         coalesce(c.reloptions && '{security_invoker=true,security_invoker=on,security_invoker=1,security_invoker=yes}', false) as invoker,
         ${names(`select ${qualified('pn.nspname', 'p.relname')} from pg_inherits i join pg_class p on p.oid = i.inhparent
           join pg_namespace pn on pn.oid = p.relnamespace where i.inhrelid = c.oid`)} as parents,
         ${list(`select polname as name, polpermissive as permissive, polcmd as command, (select json_agg(${roleName('r')}) from unnest(polroles) r) as roles,
             pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as check,
             exists (select from unnest(polroles) r where r = 0 or pg_has_role(r, 'usage')) as applies
           from pg_policy where polrelid = c.oid order by polname`)} as policies,
         ${list(`select ic.relname as name, i.indisunique or i.indisexclusion as unique, i.indkey::int[] as columns, i.indpred is null and i.indisvalid as whole
           from pg_index i join pg_class ic on ic.oid = i.indexrelid where i.indrelid = c.oid order by 1`)} as indexes,
         ${list(`select k.conname as name, ${qualified('pn.nspname', 'p.relname')} as to,
             (select json_agg(json_build_array(k.conkey[i], k.confkey[i])) from generate_subscripts(k.conkey, 1) i) as columns,
             k.convalidated and not exists (select from pg_trigger g where g.tgconstraint = k.oid and g.tgenabled <> 'O')
               and coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) as enforced
           from pg_constraint k join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
          where k.conrelid = c.oid and k.contype = 'f' order by 1`)} as "foreignKeys",
         ${names('select tgname from pg_trigger where tgrelid = c.oid and not tgisinternal')} as triggers,
         ${names("select rulename from pg_rewrite where ev_class = c.oid and rulename <> '_RETURN'")} as rules
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not ${system} order by 1`)

const functions = list(`
  select p.oid::regprocedure::text as name, n.nspname as schema, p.prosrc as source, r.rolname as owner, r.rolsuper as "ownerIsSuper",
         p.prosecdef as definer, p.proleakproof as leakproof, has_function_privilege(p.oid, 'execute') as executable,
         exists (select from unnest(p.proconfig) setting where setting like 'search_path=%') as "fixedSearchPath"
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
   where p.oid >= 16384 order by 1`) // below that: PostgreSQL's own

const role = `(select json_build_object('name', rolname, 'connectionLimit', rolconnlimit,
  'rights', array_remove(array[case when rolsuper then 'SUPERUSER' end, case when rolbypassrls then 'BYPASSRLS' end, case when rolcreaterole then 'CREATEROLE' end,
    case when rolcreatedb then 'CREATEDB' end, case when rolreplication then 'REPLICATION' end], null),
  'memberships', ${list(`select o.rolname as role,
      o.rolsuper or o.rolbypassrls or o.rolcreaterole or o.rolcreatedb or o.rolreplication or o.rolname like 'pg\\_%' as mighty,
      exists (select from pg_class where relowner = o.oid) or exists (select from pg_database where datdba = o.oid) as owns
    from pg_roles o where o.oid <> me.oid and o.rolname <> 'pg_database_owner' and pg_has_role(me.oid, o.oid, 'member')`)},
  'settings', ${names(`select unnest(setconfig) from pg_db_role_setting
    where setrole = me.oid and setdatabase in (0, (select oid from pg_database where datname = current_database()))`)},
  'fixedTenants', ${names(`select ${roleName('setrole')} from pg_db_role_setting s where exists (select from unnest(setconfig) x where x like 'app.current\\_tenant=%')`)})
  from pg_roles me where rolname = current_user)`

const server = `json_build_object('version', current_setting('server_version_num')::int, 'encoding', current_setting('server_encoding'),
  'timezone', current_setting('timezone'), 'passwordEncryption', current_setting('password_encryption'),
  'connections', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0), 'clock', extract(epoch from clock_timestamp()) * 1000)`

const session = `json_build_object(${['row_security', 'statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout',
  'client_connection_check_interval', 'transaction_timeout'].map(name => `'${name}', current_setting('${name}', true)`).join(', ')},
  'tenant', current_setting('app.current_tenant', true), 'ssl', coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false))`

/** $1: names of built-in functions, separated by commas, to see which of them the role may call. */
export const factsQuery = `select json_build_object(
  'role', ${role}, 'server', ${server}, 'session', ${session},
  'database', (select json_build_object('name', datname, 'owner', pg_get_userbyid(datdba), 'create', has_database_privilege(oid, 'CREATE'),
    'temporary', has_database_privilege(oid, 'TEMPORARY'), 'connectionLimit', datconnlimit) from pg_database where datname = current_database()),
  'schemas', ${list(`select nspname as name, pg_get_userbyid(nspowner) as owner, has_schema_privilege(oid, 'CREATE') as create from pg_namespace n
    where nspname !~ '^pg_(toast|temp)' order by 1`)},
  'relations', ${relations}, 'functions', ${functions},
  'callable', ${names("select distinct proname::text from pg_proc where pronamespace = 'pg_catalog'::regnamespace and proname = any(string_to_array($1, ',')) and has_function_privilege(oid, 'execute')")},
  'extensions', ${names('select extname from pg_extension')},
  'languages', ${names("select lanname from pg_language where not lanpltrusted and lanname not in ('c', 'internal')")},
  'defaults', ${names(`select distinct format('%s on %s of %s to %s', a.privilege_type,
      case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end,
      pg_get_userbyid(d.defaclrole), ${roleName('a.grantee')})
    from pg_default_acl d, aclexplode(d.defaclacl) a where a.grantee = 0 or pg_has_role(a.grantee, 'usage')`)},
  'published', ${list(`select ${qualified('schemaname', 'tablename')} as table, pubname as publication from pg_publication_tables order by 1, 2`)},
  'servingRoles', ${names("select distinct usename from pg_stat_activity where datname = current_database() and application_name = 'rowhouse' and usename is not null")},
  'walls', (select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'tenancy'),
  'migrations', case when has_table_privilege(to_regclass('drizzle.__drizzle_migrations'), 'SELECT') then 'readable' else 'missing' end
)::text as facts`
