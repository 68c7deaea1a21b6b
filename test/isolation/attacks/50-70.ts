// Holes that others leave, and what a session shares with the next one.
import { A, B } from '../../support/database.ts'
import { type Attack, type Scene, allowed, leak, nothing, own, perLock, refused, that, theirs, value } from './attack.ts'

const relations = (kinds: string) => `select relname from pg_class where relkind in (${kinds}) and relnamespace in ('public'::regnamespace, 'tenancy'::regnamespace)`
const asNext = (scene: Scene) => ['commit', 'begin', `select tenancy.enter('${scene.contextOf(B)}')`]
const partitioned = [
  'create table notes (account_id bigint not null, body text) partition by list (account_id)',
  `create table notes_rest partition of notes default; insert into notes values (${A}, 'note of ${A}'), (${B}, 'note of ${B}')`,
  'alter table notes enable row level security, force row level security',
  'create policy tenant_isolation on notes as restrictive using (account_id = tenancy.current_account())',
  'create policy tenant_access on notes using (true)',
  'grant select on notes, notes_rest to rowhouse_app'
]
const sessionState = (what: string) => `${what} is a statement of its own: no injected query can contain one, and a slot sends none for the application.`
const wordsOfA = that('A only', ({ rows }) => {
  const words = rows.map(row => String(row.word))
  return words.includes('name') && words.includes(String(A)) && !words.includes(String(B)) && !words.some(word => word.startsWith(`cnry_${B}`))
})
const xmlOfA = that('A only', ({ rows }) => String(rows[0]!.it).includes(`name of ${A}`) && !String(rows[0]!.it).includes(`of ${B}`))
const garbage = ['garbage', `${B};--`, 'B', '1e0', 'null', `${B}.0`, '१']

export const attacks: Attack[] = [
  { number: 50, what: 'a view of a superuser', hole: ['create view v as select * from tasks', 'grant select on v to rowhouse_app'], steps: ['select * from v'], expect: leak },
  { number: 50, what: 'views that there are', steps: [relations("'v'")], expect: nothing },
  { number: 51, what: 'a view with security_invoker', hole: ['create view v with (security_invoker) as select * from tasks', 'grant select on v to rowhouse_app'], steps: ['select * from v'], expect: own },
  { number: 52, what: 'a materialized view', hole: ['create materialized view v as select * from tasks', 'grant select on v to rowhouse_app'], steps: ['select * from v'], expect: leak },
  { number: 52, what: 'materialized views and foreign tables that there are', steps: [relations("'m', 'f'")], expect: nothing },
  {
    number: 53,
    what: 'a function with its owner\'s rights',
    hole: ['create function f() returns setof tasks language sql security definer begin atomic select * from tasks; end', 'grant execute on function f() to rowhouse_app'],
    steps: ['select * from f()'],
    expect: leak
  },
  {
    number: 53,
    what: 'such functions that there are',
    steps: ["select proname from pg_proc where prosecdef and has_function_privilege(oid, 'execute') order by 1"],
    expect: that('those that are ours', ({ rows }, { lock }) => rows.map(row => row.proname).join() === (lock === 'revoked' ? 'resolve' : 'current_account,resolve'))
  },
  ...['%', '', 'tenant-_.localhost', "' or true --"].map(host =>
    ({ number: 53, what: `resolve(${JSON.stringify(host)})`, steps: [`select * from tenancy.resolve(array['${host.replaceAll("'", "''")}'])`], expect: nothing })),
  { number: 54, what: 'a partition itself, with the policy on its parent', hole: partitioned, steps: ['select * from notes_rest'], expect: leak },
  { number: 54, what: 'its parent', hole: partitioned, steps: ['select * from notes'], expect: own },
  { number: 54, what: 'partitions that there are', steps: ["select inhrelid::regclass::text from pg_inherits where inhrelid::regclass::text !~ '_pk|_key|_idx|^pg_'"], expect: nothing },
  { number: 55, what: 'no tenant', nobody: true, steps: ['select * from tasks'], expect: nothing },
  { number: 55, what: 'no tenant, insert', nobody: true, steps: [`insert into projects (account_id, id, name) values (${B}, gen_random_uuid(), 'x')`], expect: refused('42501') },
  { number: 55, what: 'an empty tenant', nobody: true, steps: ["set local app.current_tenant = ''", 'select * from tasks'], expect: nothing },
  { number: 55, what: 'enter with nothing', nobody: true, steps: ["select tenancy.enter('')"], expect: refused('42501') },
  { number: 55, what: 'enter with null', nobody: true, steps: ['select tenancy.enter(null)'], expect: refused('42501') },
  ...garbage.map(text => ({ number: 55, what: `enter with ${text}`, nobody: true as const, steps: [`select tenancy.enter('${text}')`, 'select * from tasks'], expect: perLock(refused('22P02'), refused('42501')) })),
  ...[`${A} `, `${A};--`, `0${A}`, `0x${A}`].map(text =>
    ({ number: 55, what: `enter A again with ${JSON.stringify(text)}`, steps: [`select tenancy.enter('${text}')`, 'select * from tasks'], expect: refused('42501') })),
  ...[`${A}.`, `${A}.x`].map(text =>
    ({ number: 55, what: `enter A again with ${text}`, steps: [`select tenancy.enter('${text}')`, 'select * from tasks'], expect: perLock(refused('22P02'), refused('42501')) })),
  { number: 56, what: 'a second permissive policy', hole: ['create policy stray on tasks using (true)'], steps: ['select * from tasks'], expect: own },
  {
    number: 56,
    what: 'a second permissive policy, were the first not restrictive',
    hole: ['drop policy tenant_isolation on tasks', 'create policy tenant_isolation on tasks using (account_id = tenancy.current_account())', 'create policy stray on tasks using (true)'],
    steps: ['select * from tasks'],
    expect: leak
  },
  { number: 57, what: 'prepared under A, executed under B', steps: s => ['prepare p as select * from tasks', 'execute p', ...asNext(s), 'execute p'], expect: theirs },
  { number: 57, what: 'prepared under A, executed under nobody', steps: ['prepare p as select * from tasks', 'execute p', 'commit', 'begin', 'execute p'], expect: nothing },
  { number: 58, what: 'a cursor held open for the next tenant', steps: s => ['declare c cursor with hold for select * from tasks', ...asNext(s), 'fetch all from c'], expect: own, accepted: `A cursor WITH HOLD keeps its rows for whoever has the session next. ${sessionState('DECLARE')}` },
  { number: 58, what: 'a cursor of this transaction only', steps: s => ['declare c cursor for select * from tasks', ...asNext(s), 'fetch all from c'], expect: refused('34000') },
  { number: 59, what: 'lock a table', steps: ['lock table tasks in access exclusive mode nowait'], expect: allowed, accepted: `The app role can lock a table against all accounts until its transaction ends, at most ten seconds idle. ${sessionState('LOCK')}` },
  { number: 60, what: 'lock rows of B', steps: [`select * from tasks where account_id = ${B} for update`], expect: nothing },
  { number: 60, what: 'lock all rows', steps: ['select * from tasks for update'], expect: own },
  { number: 61, what: 'an advisory lock of the transaction', steps: ['select pg_advisory_xact_lock(42)'], expect: allowed, accepted: 'An injected SELECT can take advisory locks until its transaction ends. The application uses none for tenants.' },
  ...['pg_advisory_lock(42)', 'pg_try_advisory_lock(42)', 'pg_advisory_lock_shared(42)'].map(call =>
    ({ number: 61, what: `${call}, which would outlive the transaction`, steps: [`select ${call}`], expect: refused('42501') })),
  { number: 62, what: 'notify', steps: ["select pg_notify('any', 'x')"], expect: allowed, accepted: 'An injected SELECT can send notifications. The application listens to none.' },
  { number: 62, what: 'listen', steps: ['listen anything'], expect: allowed, accepted: sessionState('LISTEN') },
  { number: 63, what: 'no time limit', steps: ['set local statement_timeout = 0', 'show statement_timeout'], expect: value('0'), accepted: `Limits of the session can be lifted for a transaction. ${sessionState('SET')} The client gives up after six seconds all the same, and destroys the connection.` },
  { number: 63, what: 'much memory', steps: ["set local work_mem = '2GB'", 'show work_mem'], expect: value('2GB'), accepted: sessionState('SET') },
  { number: 64, what: 'a tenant for every later session', steps: [`alter role rowhouse_app set app.current_tenant = '${B}'`], expect: refused('42501') },
  {
    number: 65,
    what: 'another password for one\'s own role',
    hole: ['create role rowhouse_test_somebody login', 'grant rowhouse_app to rowhouse_test_somebody', 'set local role rowhouse_test_somebody'],
    steps: ["alter role rowhouse_test_somebody password 'x'"],
    expect: allowed,
    accepted: `A role can change its own password and its own limits. ${sessionState('ALTER ROLE')}`
  },
  {
    number: 65,
    what: 'other limits for one\'s own role',
    hole: ['create role rowhouse_test_somebody login', 'grant rowhouse_app to rowhouse_test_somebody', 'set local role rowhouse_test_somebody'],
    steps: ['alter role rowhouse_test_somebody set statement_timeout = 0'],
    expect: allowed,
    accepted: sessionState('ALTER ROLE')
  },
  { number: 65, what: 'more rights for one\'s own role', steps: ['alter role rowhouse_app bypassrls'], expect: refused('42501') },
  { number: 66, what: 'session_replication_role', steps: ['set session_replication_role = replica'], expect: refused('42501') },
  { number: 67, what: 'another search path', steps: ['set local search_path = pg_temp, public', 'select * from tasks'], expect: own },
  { number: 68, what: 'table_to_xml', steps: ["select table_to_xml('tasks', true, true, '')::text as it"], expect: xmlOfA },
  { number: 68, what: 'database_to_xml', steps: ["select database_to_xml(true, true, '')::text as it"], expect: xmlOfA },
  { number: 68, what: 'ts_stat', steps: ["select word from ts_stat('select to_tsvector(''simple'', name) from tasks') order by 1"], expect: wordsOfA },
  { number: 69, what: 'comment', steps: ["comment on table tasks is 'x'"], expect: refused('42501') },
  { number: 69, what: 'security label', steps: ["security label on table tasks is 'x'"], expect: refused('22023') },
  { number: 69, what: 'event trigger', steps: ['create event trigger x on ddl_command_start execute function pg_catalog.suppress_redundant_updates_trigger()'], expect: refused('42501') },
  { number: 69, what: 'trigger', steps: ['create trigger x before update on tasks for each row execute function suppress_redundant_updates_trigger()'], expect: refused('42501') },
  { number: 70, what: 'enter B in a savepoint', steps: s => ['savepoint s', `select tenancy.enter('${s.contextOf(B)}')`], expect: refused('42501') },
  { number: 70, what: 'enter B in a savepoint, release it, read', steps: s => ['savepoint s', `do $$ begin perform tenancy.enter('${s.contextOf(B)}'); exception when others then null; end $$`, 'release s', 'select * from tasks'], expect: own },
  { number: 70, what: 'forget the tenant in a savepoint, and release it', steps: ['savepoint s', 'reset app.current_tenant', 'release s', 'select * from tasks'], expect: nothing }
]
