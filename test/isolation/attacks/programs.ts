// What an attacker would send, could it send whatever it liked: programs of several statements. Some are refused at the first, some run.
import { B } from '../../support/database.ts'

interface Contexts {
  /** A's own, which can be read from the setting. */
  readonly own: string
  /** B's, as far as one can make it up. */
  readonly forged: string
  /** B's as the application makes it: more than one could have. */
  readonly foreign: string
}

const read = ['select * from tasks', `select * from users where account_id = ${B}`]
const set = (name: string, to: string, local = false) => `select set_config('${name}', '${to}', ${local})`
const write = [`insert into projects (account_id, id, name) values (${B}, gen_random_uuid(), 'x')`, `update tasks set account_id = ${B}`,
  `delete from tasks where account_id = ${B}`, `update tasks set name = 'x' where account_id = ${B}`]

export const programs = ({ own, forged, foreign }: Contexts): Record<string, string[]> => ({
  'reading all': ['select * from accounts', 'select * from users', 'select * from projects', 'select * from tasks', 'select * from subtasks'],
  ...Object.fromEntries(write.map(text => [`writing: ${text}`, [text]])),
  'a forged tenant, for the transaction': [set('app.current_tenant', forged, true), ...read],
  'a forged tenant, for the session': [set('app.current_tenant', forged), ...read],
  'one\'s own tenant, for the session': [set('app.current_tenant', own), 'select * from tasks'],
  'the other tenant\'s true context': [`select tenancy.enter('${foreign}')`, ...read],
  'no tenant, then the other': [set('app.current_tenant', '', true), `select tenancy.enter('${forged}')`, ...read],
  'garbage for a tenant, for the session': [set('app.current_tenant', 'garbage'), ...read],
  'entering with garbage': ["select tenancy.enter('1.x')", ...read],
  'SET of the tenant': [`set app.current_tenant = '${forged}'`, ...read],
  'SET LOCAL of the tenant': [`set local app.current_tenant = '${forged}'`, ...read],
  'SET within a comment': [`/* select */ set app.current_tenant = '${forged}'`, ...read],
  'SET behind a SELECT': [`select 1; set app.current_tenant = '${forged}'`, ...read],
  'reset all': ['reset all', `select tenancy.enter('${forged}')`, ...read],
  'rolling back, beginning anew': ['rollback', 'begin', `select tenancy.enter('${forged}')`, ...read],
  'committing in the middle': ['commit', ...read],
  'a savepoint': ['savepoint part', `select tenancy.enter('${forged}')`, 'rollback to part', ...read],
  'another search path': [set('search_path', 'pg_temp'), ...read],
  'SET search_path': ['set search_path = pg_temp', ...read],
  'row_security off': [set('row_security', 'off'), ...read],
  'another role': [set('role', 'rowhouse_owner'), ...read],
  'another session authorization': [set('session_authorization', 'postgres'), ...read],
  'read-only sessions': [set('default_transaction_read_only', 'on')],
  'no time at all': [set('statement_timeout', '1ms')],
  'another date style and time zone': [set('DateStyle', 'SQL, DMY'), set('TimeZone', 'Pacific/Kiritimati'), set('IntervalStyle', 'iso_8601')],
  'another encoding': [set('client_encoding', 'SQL_ASCII'), set('bytea_output', 'escape'), set('extra_float_digits', '-15')],
  'backslashes in strings': [set('standard_conforming_strings', 'off'), set('backslash_quote', 'on')],
  'another name': [set('application_name', 'somebody else')],
  'replica mode': [set('session_replication_role', 'replica'), ...read],
  'settings by pg_settings': ["update pg_settings set setting = 'pg_temp' where name = 'search_path'", ...read],
  'SQL that runs SQL': [`select query_to_xml('select set_config(''app.current_tenant'', ''${forged}'', false)', true, true, '')`, "select query_to_xml('select * from tasks', true, true, '')::text"],
  'SQL that runs SET': [`select query_to_xml('set app.current_tenant = ''${forged}''', true, true, '')`, ...read],
  'a prepared statement': ['prepare p as select * from tasks', 'execute p'],
  'a cursor': ['declare c cursor with hold for select * from tasks', 'fetch all from c'],
  'a cursor as XML': ["select cursor_to_xml('c', 10, true, true, '')"],
  'a temporary table': ['create temp table tasks as select 1', ...read],
  'a table by SELECT': ['select * into temp tasks from tasks', ...read],
  'a DO block': [`do $$ begin perform set_config('app.current_tenant', '${forged}', false); end $$`, ...read],
  'a function': ['create function public.f() returns int language sql return 1', 'select f()'],
  'an advisory lock of the session': ['select pg_advisory_lock(42)'],
  'an advisory lock of the transaction': ['select pg_advisory_xact_lock(42)'],
  listening: ['listen anything', "select pg_notify('anything', 'of 1')"],
  'a large object': ["select lo_from_bytea(0, 'name of 1')"],
  'a lock on the table': ['lock table tasks in access exclusive mode', 'select * from tasks for update'],
  'unlocking, discarding, deallocating': ['select pg_advisory_unlock_all()', 'discard all', 'deallocate all', ...read],
  'a rewritten query': [`with x as materialized (select ${set('app.current_tenant', forged).slice(7)}) select tasks.* from x, tasks`, ...read],
  'a writing CTE': [`with x as (update tasks set account_id = ${B} returning *) select * from x`, ...read],
  'the names and keys of others': ['select * from tenancy.signing_keys', 'select * from directory', "select * from tenancy.resolve(array['tenant-1.localhost'])"],
  'the signed context, read and changed': ["select set_config('app.current_tenant', '2' || substr(current_setting('app.current_tenant'), 2), false)", ...read],
  copying: ['copy tasks to stdout', ...read],
  'an empty statement': ['', ';', '--', ...read],
  'an unfinished statement': ['select', "select 'x", 'select $1', ...read]
})

/** Whatever a transaction could leave in the session that the next one would notice; no row if it is tidy. */
export const leftovers = `
  select 'setting ' || name || ' = ' || setting as it from pg_settings where source = 'session'
     and name not in ('transaction_read_only', 'transaction_isolation', 'transaction_deferrable')
  union all select 'cursor ' || name from pg_cursors where is_holdable
  union all select 'statement ' || name from pg_prepared_statements where from_sql
  union all select 'channel ' || channel from pg_listening_channels() channel
  union all select 'advisory lock' from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
  union all select 'temporary schema' where pg_my_temp_schema() <> 0
  union all select 'role ' || current_user where current_user <> 'rowhouse_app'`
