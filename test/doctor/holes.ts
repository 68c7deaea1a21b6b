// A hole for every check of the doctor: planted in a transaction by a superuser, looked at as the app role, and undone.
import type { Facts } from '../../src/doctor/facts.ts'

export interface Hole {
  readonly id: string
  readonly plant: string | readonly string[]
  readonly says: RegExp
  /** What cannot be planted in a database: facts of another server. */
  readonly alter?: (facts: Facts) => object
  readonly since?: number
}

const isolation = 'account_id = tenancy.current_account()'
const policy = (table: string, clauses: string) => `create policy tenant_isolation on ${table} ${clauses}`
const drop = 'drop policy tenant_isolation on tasks'
const alterRole = (what: string) => `alter role rowhouse_app ${what}`
const looseTable = (definition: string) => ['create table loose (account_id bigint, x int)', definition, 'grant select on loose to rowhouse_app']
const definer = (name: string, tail = '') => `create function ${name}() returns bigint language sql security definer ${tail} as 'select count(*) from users'`

export const holes: readonly Hole[] = [
  ...['SUPERUSER', 'BYPASSRLS', 'CREATEROLE', 'CREATEDB', 'REPLICATION'].map(right => ({ id: 'D01', plant: alterRole(right), says: new RegExp(`rowhouse_app has ${right}`) })),
  { id: 'D02', plant: 'grant rowhouse_owner to rowhouse_app', says: /member of rowhouse_owner, which owns tables/ },
  { id: 'D02', plant: 'grant pg_read_server_files to rowhouse_app', says: /member of pg_read_server_files/ },
  { id: 'D03', plant: 'alter table tasks owner to rowhouse_app', says: /owns tasks, and an owner can lift its walls/ },
  { id: 'D03', plant: ['grant create on schema tenancy to rowhouse_app', 'alter function tenancy.enter(text) owner to rowhouse_app'], says: /owns tenancy\.enter\(text\)/ },
  { id: 'D03', plant: 'alter schema tenancy owner to rowhouse_app', says: /owns the schema tenancy/ },
  { id: 'D04', plant: 'alter table tasks disable row level security', says: /The table tasks has no row-level security/ },
  { id: 'D04', plant: looseTable('comment on table loose is null'), says: /loose has no row-level security/ },
  { id: 'D04', plant: 'grant select on directory to rowhouse_app', says: /directory has no row-level security/ },
  { id: 'D04', plant: 'drop table subtasks', says: /The table subtasks is missing/ },
  { id: 'D05', plant: 'alter table tasks no force row level security', says: /tasks does not FORCE/ },
  { id: 'D06', plant: 'drop policy tenant_access on tasks', says: /No policy permits the app role anything on tasks/ },
  { id: 'D07', plant: 'alter table tasks disable row level security', says: /tasks has policies, but row-level security is off/ },
  { id: 'D08', plant: `alter policy tenant_isolation on tasks using (${isolation} or true)`, says: /tenant_isolation of tasks says using .* OR true/ },
  { id: 'D08', plant: 'alter policy tenant_isolation on tasks with check (true)', says: /tenant_isolation of tasks says .* with check true/ },
  { id: 'D08', plant: "create or replace function tenancy.current_account() returns bigint language sql stable as 'select 1::bigint'", says: /tenancy\.current_account is not the one of this program/ },
  { id: 'D08', plant: 'create or replace function tenancy.enter(context text) returns void language sql as $$ select 1 $$', says: /tenancy\.enter is not the one/ },
  { id: 'D09', plant: drop, says: /tasks does not have its two policies, but tenant_access \(permissive/ },
  { id: 'D09', plant: [drop, policy('tasks', `as permissive to rowhouse_app using (${isolation}) with check (${isolation})`)], says: /tenant_isolation \(permissive/ },
  { id: 'D09', plant: [drop, policy('tasks', `as restrictive for select to rowhouse_app using (${isolation})`)], says: /for r/ },
  { id: 'D09', plant: 'create policy stray on tasks using (true)', says: /stray \(permissive, all, to public\)/ },
  { id: 'D10', plant: ['create table notes (body text)', 'grant insert on notes to rowhouse_app'], says: /may INSERT notes, whose rows belong to nobody/ },
  { id: 'D10', plant: ['create table notes (body text)', 'grant select (body) on notes to public'], says: /may SELECT notes/ },
  { id: 'D10', plant: 'grant insert on drizzle.__drizzle_migrations to rowhouse_app', says: /may INSERT, SELECT drizzle\.__drizzle_migrations/ },
  { id: 'D11', plant: looseTable('alter table loose enable row level security'), says: /loose\.account_id may be null/ },
  { id: 'D12', plant: 'create unique index once on users (email)', says: /unique index once of users does not begin/ },
  { id: 'D12', plant: 'alter table tasks add constraint apart exclude (name with =)', says: /unique index apart of tasks/ },
  {
    id: 'D13',
    plant: ['alter table projects add constraint single unique (id)', 'alter table tasks add constraint single foreign key (project_id) references projects (id)'],
    says: /foreign key single of tasks to projects lacks account_id/
  },
  { id: 'D14', plant: ['create view everything as select * from tasks', 'grant select on everything to rowhouse_app'], says: /view everything reads with its owner/ },
  { id: 'D15', plant: ['create materialized view everything as select * from tasks', 'grant select on everything to rowhouse_app'], says: /materialized view everything/ },
  {
    id: 'D16',
    plant: ['create foreign data wrapper far', 'create server away foreign data wrapper far', 'create foreign table elsewhere (x int) server away', 'grant select on elsewhere to rowhouse_app'],
    says: /foreign table elsewhere/
  },
  { id: 'D17', plant: definer('everything', 'set search_path = public'), says: /may call everything\(\), which runs with the rights of postgres/ },
  { id: 'D17', plant: 'alter function tenancy.resolve(text[]) owner to postgres', says: /tenancy\.resolve\(text\[\]\) runs with the rights of postgres, a superuser/ },
  { id: 'D18', plant: definer('everything'), says: /everything\(\) has no search_path of its own/ },
  { id: 'D18', plant: 'alter function tenancy.resolve(text[]) reset search_path', says: /tenancy\.resolve\(text\[\]\) has no search_path/ },
  { id: 'D19', plant: "create function peek(text) returns boolean language sql leakproof as 'select true'", says: /peek\(text\) is LEAKPROOF/ },
  ...['TRUNCATE', 'REFERENCES', 'TRIGGER'].map(right => ({ id: 'D20', plant: `grant ${right} on tasks to rowhouse_app`, says: new RegExp(`may ${right} tasks`) })),
  { id: 'D20', plant: 'grant maintain on tasks to public', says: /may MAINTAIN tasks/, since: 170000 },
  { id: 'D21', plant: 'grant create on schema public to public', says: /may create in the schema public/ },
  { id: 'D22', plant: "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$", says: /has TEMPORARY on the database/ },
  { id: 'D22', plant: "do $$ begin execute format('grant create on database %I to rowhouse_app', current_database()); end $$", says: /has CREATE on the database/ },
  { id: 'D23', plant: ['create table part () inherits (tasks)', 'grant select on part to rowhouse_app'], says: /may SELECT part, a part of tasks/ },
  {
    id: 'D24',
    plant: ['set local allow_system_table_mods = on', "insert into pg_extension values (99999, 'dblink', 10, 2200, false, '1', null, null)"],
    says: /extension dblink is installed/
  },
  { id: 'D25', plant: 'create language anything handler plpgsql_call_handler', says: /language anything can do/ },
  { id: 'D26', plant: alterRole("set statement_timeout = '1h'"), says: /has statement_timeout = 1h instead of 5000/ },
  { id: 'D26', plant: alterRole('reset lock_timeout'), says: /has no lock_timeout instead of 2000/ },
  { id: 'D26', plant: alterRole("set work_mem = '2GB'"), says: /a setting of its own: work_mem = 2GB/ },
  { id: 'D27', plant: alterRole("set app.current_tenant = '1'"), says: /app\.current_tenant has been set for rowhouse_app/ },
  { id: 'D27', plant: "do $$ begin execute format('alter database %I set app.current_tenant = 1', current_database()); end $$", says: /set for a whole database/ },
  { id: 'D28', plant: 'grant execute on function pg_catalog.set_config(text, text, boolean) to public', says: /may call set_config/ },
  { id: 'D29', plant: 'grant execute on function pg_catalog.lo_creat(integer), pg_catalog.pg_terminate_backend(integer, bigint) to public', says: /may call lo_creat, pg_terminate_backend/ },
  { id: 'D30', plant: 'alter default privileges for role rowhouse_owner grant select on tables to public', says: /SELECT on tables of rowhouse_owner to public/ },
  { id: 'D30', plant: 'alter default privileges for role rowhouse_owner grant truncate on tables to rowhouse_app', says: /TRUNCATE on tables of rowhouse_owner to rowhouse_app/ },
  { id: 'D31', plant: ['alter table invitations drop constraint invitations_pk', 'alter table invitations drop constraint invitations_token_key'], says: /invitations has no index that begins with account_id/ },
  { id: 'D32', plant: 'create publication elsewhere for table tasks', says: /publication elsewhere sends all rows of tasks/ },
  { id: 'D32', plant: 'create publication elsewhere for all tables', says: /publication elsewhere sends all rows of users/ },
  { id: 'D33', plant: 'create trigger beside before update on tasks for each row execute function suppress_redundant_updates_trigger()', says: /tasks has the trigger beside/ },
  { id: 'D34', plant: 'create rule instead as on delete to tasks do instead nothing', says: /tasks has the rule instead/ },
  { id: 'D35', plant: ['create sequence numbers', 'grant usage on numbers to rowhouse_app'], says: /sequence numbers/ },
  { id: 'D36', plant: 'set local row_security = off', says: /row_security is off/ },
  { id: 'D37', plant: [], alter: ({ server }) => ({ server: { ...server, version: 150004 } }), says: /15\.4 has holes that 15\.18 closed/ },
  { id: 'D37', plant: [], alter: ({ server }) => ({ server: { ...server, version: 140030 } }), says: /PostgreSQL 14 is older than 15/ },
  ...['statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout', 'client_connection_check_interval'].map(name =>
    ({ id: 'D38', plant: `set local ${name} = 0`, says: new RegExp(`${name} is off`) })),
  { id: 'D38', plant: 'set local transaction_timeout = 0', says: /transaction_timeout is off/, since: 170000 },
  { id: 'D39', plant: 'alter table users disable row level security', says: /On users row-level security does not bind rowhouse_app/ },
  { id: 'D40', plant: 'alter policy tenant_isolation on users with check (true)', says: /Without a tenant, users takes a row of another account/ },
  {
    id: 'D40',
    plant: ["insert into accounts (account_id, slug, name) values (1, 'a', 'A')", "create or replace function tenancy.current_account() returns bigint language sql stable as 'select 1::bigint'"],
    says: /Without a tenant, rows of accounts can be read/
  },
  { id: 'D40', plant: 'revoke select on users from rowhouse_app', says: /users cannot be read \(42501\)/ },
  { id: 'D40', plant: 'revoke execute on function tenancy.enter(text) from rowhouse_app', says: /does not accept the tenant contexts/ },
  { id: 'D41', plant: "update drizzle.__drizzle_migrations set hash = 'x' || hash", says: /migrations are behind/ },
  { id: 'D41', plant: "comment on schema tenancy is 'walls of old'", says: /migrations are behind/ },
  { id: 'D42', plant: 'alter table tasks disable trigger all', says: /tasks_project_id_fk of tasks is not enforced/ },
  {
    id: 'D42',
    plant: ['alter table tasks drop constraint tasks_project_id_fk', 'alter table tasks add constraint late foreign key (account_id, project_id) references projects (account_id, id) not valid'],
    says: /late of tasks is not enforced/
  },
  { id: 'D43', plant: "set local password_encryption = 'md5'", says: /stored as md5/ },
  { id: 'D44', plant: "do $$ begin execute format('alter database %I connection limit 5', current_database()); end $$", says: /has 5 connections for us, and one server of ours wants up to 13/ },
  { id: 'D44', plant: alterRole('connection limit 4'), says: /role rowhouse_app has 4 connections/ },
  { id: 'D46', plant: "set local timezone = 'Europe/Berlin'", says: /time zone of our connections is Europe\/Berlin/ },
  { id: 'D46', plant: [], alter: ({ server }) => ({ server: { ...server, clock: server.clock - 60_000 } }), says: /clock is -60 s from ours/ },
  { id: 'D47', plant: [], alter: () => ({ servingRoles: ['rowhouse_app', 'rowhouse_owner'] }), says: /Another server of this database is connected as rowhouse_owner/ },
  { id: 'D47', plant: [], alter: ({ role }) => ({ role: { ...role, name: 'somebody' } }), says: /This program connects as somebody/ },
  { id: 'D48', plant: 'grant update on audit_log to rowhouse_app', says: /may UPDATE audit_log, which it is only to add to/ },
  { id: 'D48', plant: 'grant update (actor) on audit_log to public', says: /may UPDATE audit_log/ },
  { id: 'D48', plant: 'grant delete on audit_log to rowhouse_app', says: /may DELETE audit_log/ }
]
