// Rights beyond the four, what the catalogue and the server tell, and keys that point at another's rows.
import { A, B } from '../../support/database.ts'
import { type Attack, type Outcome, allowed, leak, nothing, own, refused, that, touched } from './attack.ts'

const noticeLeak = (volatility: string) => [`create function public.tell(it text) returns boolean language plpgsql cost 0.0000001 ${volatility}
  as $$ begin raise notice 'seen: %', it; return true; end $$`, 'grant execute on function public.tell(text) to rowhouse_app']
const singleKey = ['alter table subtasks drop constraint subtasks_task_id_fk', 'alter table tasks add constraint one unique (id)',
  'alter table subtasks add constraint one_fk foreign key (task_id) references tasks (id) on delete cascade']
const childOf = (task: string) => [`insert into subtasks (account_id, id, task_id, name) values (${A}, gen_random_uuid(), '${task}', 'x')`]
const estimate = ({ rows }: Outcome) => (rows[0]?.['QUERY PLAN'] as string).match(/rows=(\d+)/)![1]
const volumes = 'Sums over all accounts can be read from the system catalogue: how many rows a table has, how large it is. Not whose they are.'

export const attacks: Attack[] = [
  { number: 27, what: 'disable row-level security', steps: ['alter table tasks disable row level security'], expect: refused('42501') },
  { number: 27, what: 'no force', steps: ['alter table tasks no force row level security'], expect: refused('42501') },
  { number: 28, what: 'create a policy', steps: ['create policy mine on tasks using (true)'], expect: refused('42501') },
  { number: 28, what: 'alter a policy', steps: ['alter policy tenant_isolation on tasks using (true)'], expect: refused('42501') },
  { number: 28, what: 'drop a policy', steps: ['drop policy tenant_isolation on tasks'], expect: refused('42501') },
  ...['public', 'tenancy', 'drizzle'].flatMap(schema => [
    { number: 29, what: `a table in ${schema}`, steps: [`create table ${schema}.mine (x int)`], expect: refused('42501') },
    { number: 29, what: `a function in ${schema}`, steps: [`create function ${schema}.mine() returns int language sql return 1`], expect: refused('42501') },
    { number: 29, what: `a view in ${schema}`, steps: [`create view ${schema}.mine as select 1`], expect: refused('42501') }
  ]),
  { number: 29, what: 'a schema', steps: ['create schema mine'], expect: refused('42501') },
  { number: 29, what: 'select into', steps: ['select * into mine from tasks'], expect: refused('42501') },
  { number: 30, what: 'a temporary table', steps: ['create temp table tasks (x int)'], expect: refused('42501') },
  { number: 30, what: 'a temporary function', steps: ['create function pg_temp.mine() returns int language sql return 1'], expect: refused('42501') },
  { number: 31, what: 'a cheap function that tells', hole: noticeLeak(''), steps: ['select account_id from tasks where tell(name)'], expect: that('notices of A only', ({ notices }) => notices.length === 1 && notices[0]!.startsWith(`seen: name of ${A} `)) },
  { number: 31, what: 'the same, marked LEAKPROOF, which a superuser alone can do', hole: noticeLeak('leakproof'), steps: ['select account_id from tasks where tell(name)'], expect: leak },
  { number: 32, what: 'division by zero, on a row of B', steps: [`select 1 / (case when name like '%${B}' then 0 else 1 end) from tasks where account_id = ${B}`], expect: nothing },
  { number: 32, what: 'division by zero, if there is a row of B', steps: [`select account_id, 1 / (case when name like '%${B}' then 0 else 1 end) from tasks`], expect: own },
  { number: 33, what: 'a cast that would fail on a row of B', steps: [`select name::int from tasks where account_id = ${B}`], expect: nothing },
  {
    number: 34,
    what: 'EXPLAIN, of B',
    steps: [`explain select * from projects where account_id = ${B}`],
    expect: that('an estimate, of many', outcome => Number(estimate(outcome)) > 100),
    accepted: 'EXPLAIN tells the planner\'s estimate of how many rows an account has; it is a statement of its own, which a slot does not send.'
  },
  { number: 34, what: 'EXPLAIN, of nobody', steps: ['explain select * from projects where account_id = 999'], expect: that('an estimate, of few', outcome => Number(estimate(outcome)) < 10) },
  { number: 35, what: 'pg_stats', steps: ["select * from pg_stats where tablename in ('accounts', 'users', 'projects', 'tasks', 'subtasks')"], expect: nothing },
  ...['pg_statistic', 'pg_authid', 'pg_shadow', 'pg_hba_file_rules', 'pg_user_mapping', 'tenancy.signing_keys'].map(name =>
    ({ number: 36, what: name, steps: [`select * from ${name}`], expect: name.startsWith('tenancy') ? { revoked: refused('42P01'), signed: refused('42501') } : refused('42501') })),
  { number: 36, what: 'the directory', steps: ['select * from directory'], expect: refused('42501') },
  { number: 37, what: 'pg_class.reltuples', steps: ["select reltuples::int as n from pg_class where relname = 'projects'"], expect: that('all accounts\' rows', ({ rows }) => Number(rows[0]!.n) > 500), accepted: volumes },
  { number: 37, what: 'pg_relation_size', steps: ["select pg_relation_size('projects')::int as n"], expect: that('a size', ({ rows }) => Number(rows[0]!.n) > 0), accepted: volumes },
  { number: 37, what: 'pg_stat_user_tables', steps: ["select n_live_tup from pg_stat_user_tables where relname = 'projects'"], expect: that('one number', ({ rows }) => rows.length === 1), accepted: volumes },
  { number: 38, what: 'a sequence\'s last value', steps: ['select last_value from drizzle.__drizzle_migrations_id_seq'], expect: refused('42501') },
  { number: 38, what: 'nextval', steps: ["select nextval('drizzle.__drizzle_migrations_id_seq')"], expect: refused('42501') },
  { number: 38, what: 'pg_sequences', steps: ["select last_value from pg_sequences where schemaname in ('public', 'tenancy', 'drizzle') and last_value is not null"], expect: nothing },
  {
    number: 39,
    what: 'other sessions\' statements',
    steps: s => [`select query from pg_stat_activity where pid = ${s.victim}`],
    expect: that('the text, without its values', ({ rows }) => rows.length === 1 && rows[0]!.query === 'select name from projects where name = $1'),
    accepted: 'Sessions of the app role see the text of each other\'s statements in pg_stat_activity. Values are never part of it: they travel as parameters.'
  },
  { number: 40, what: 'end another session', steps: s => [`select pg_terminate_backend(${s.victim})`], expect: refused('42501') },
  { number: 40, what: 'cancel another\'s statement', steps: s => [`select pg_cancel_backend(${s.victim})`], expect: refused('42501') },
  {
    number: 40,
    what: 'cancel another\'s statement, where the right could not be revoked',
    hole: ['grant execute on function pg_catalog.pg_cancel_backend(int) to rowhouse_app'],
    steps: s => [`select pg_cancel_backend(${s.victim}) as done`],
    expect: that('that it works', ({ rows }) => rows[0]!.done === true),
    accepted: 'On a server that db:setup could not reach as a superuser, an injected SELECT can cancel or end the other sessions of the app role. They fail clean, with 503.'
  },
  { number: 42, what: 'copy to a program', steps: ["copy (select 1) to program 'id'"], expect: refused('42501') },
  { number: 42, what: 'copy from a file', steps: ["copy projects from '/etc/passwd'"], expect: refused('42501') },
  { number: 42, what: 'copy to a file', steps: ["copy (select 1) to '/tmp/rowhouse-attack'"], expect: refused('42501') },
  ...["pg_read_file('/etc/passwd')", "pg_ls_dir('/')", "lo_import('/etc/passwd')", 'pg_reload_conf()', "pg_read_binary_file('PG_VERSION')"].map(call =>
    ({ number: 43, what: call, steps: [`select ${call}`], expect: refused('42501') })),
  ...["lo_from_bytea(0, 'x')", 'lo_create(0)', 'lo_creat(-1)', "lo_put(1, 0, 'x')"].map(call =>
    ({ number: 44, what: call, steps: [`select ${call}`], expect: refused('42501') })),
  { number: 45, what: 'an extension', steps: ['create extension dblink'], expect: refused('42501') },
  { number: 46, what: 'by place', steps: s => [`select ctid, xmin, tableoid, account_id from tasks where ctid = '${s.b.ctid}'`], expect: nothing },
  { number: 46, what: 'all places', steps: ['select ctid, xmin, tableoid, account_id from tasks'], expect: own },
  { number: 47, what: 'a child of a row of B', steps: s => childOf(s.b.task), expect: refused('23503') },
  { number: 47, what: 'a child of a row of B, by a key on the id alone', hole: singleKey, steps: s => childOf(s.b.task), expect: touched(1) },
  { number: 48, what: 'a child of a row that is not there', steps: childOf('00000000-0000-7000-8000-000000000000'), expect: refused('23503') },
  { number: 49, what: 'delete a parent', steps: [`delete from tasks where account_id = ${A}`], look: `select account_id from subtasks where account_id = ${B}`, expect: that('B\'s child as it was', ({ rows }) => rows.length === 1), hole: [] },
  {
    number: 49,
    what: 'delete a parent with a child of B, by a key on the id alone',
    hole: s => [...singleKey, `update subtasks set task_id = '${s.a.task}' where account_id = ${B}`],
    steps: [`delete from tasks where account_id = ${A}`],
    look: `select account_id from subtasks where account_id = ${B}`,
    expect: nothing
  },
  { number: 49, what: 'a child of B under a parent of A, even for a superuser', hole: s => [`update subtasks set task_id = '${s.a.task}' where account_id = ${B}`], steps: [], expect: refused('23503') },
  { number: 41, what: 'copy to the client', steps: [], expect: allowed }
]
