// Reading and writing across the wall, and changing tenants.
import { A, B } from '../../support/database.ts'
import { type Attack, type Scene, own, nothing, perLock, refused, that, theirs, touched, value } from './attack.ts'

/** Signed by nobody: what an attacker can make. */
const stolen = ({ lock }: Scene) => lock === 'revoked' ? String(B) : `${B}.9999999999.${'0'.repeat(64)}`
const setTo = (scene: Scene) => `set_config('app.current_tenant', '${stolen(scene)}', true)`
const user = (account: number, email: string) => `insert into users (account_id, id, email, first_name, last_name, password_hash)
  values (${account}, gen_random_uuid(), '${email}', 'x', 'x', 'x')`
const ownStatements = 'SET, DO and the like, sent as statements of their own, can name another tenant where the context is not signed. No injected ' +
  'query can contain one, and a slot sends none for the application. TENANT_SIGNING=on refuses these as well.'

export const attacks: Attack[] = [
  ...['accounts', 'users', 'projects', 'tasks', 'subtasks'].map(table =>
    ({ number: 1, what: `all ${table}`, steps: [`select * from ${table}`], expect: own })),
  { number: 2, what: 'B by name', steps: [`select * from tasks where account_id = ${B}`], expect: nothing },
  { number: 3, what: 'or true', steps: [`select * from tasks where account_id = ${B} or true`], expect: own },
  { number: 4, what: 'union', steps: ['select account_id from only tasks union all select account_id from tasks'], expect: own },
  { number: 4, what: 'a join with oneself', steps: ['select b.* from tasks a join tasks b on b.account_id <> a.account_id'], expect: nothing },
  { number: 4, what: 'a lateral subquery', steps: ['select b.* from tasks a cross join lateral (select * from tasks) b'], expect: own },
  { number: 5, what: 'insert a row of B', steps: [`insert into projects (account_id, id, name) values (${B}, gen_random_uuid(), 'x')`], expect: refused('42501') },
  { number: 6, what: 'give a row to B', steps: [`update users set account_id = ${B}`], expect: refused('42501') },
  { number: 7, what: 'update all', steps: ["update projects set name = 'x' returning account_id"], expect: own },
  { number: 8, what: 'delete of B', steps: [`delete from projects where account_id = ${B}`], expect: nothing },
  { number: 9, what: 'upsert over a row of B', steps: [`${user(B, `email of ${B}`)} on conflict (account_id, email) do update set first_name = 'x'`], expect: refused('42501') },
  { number: 9, what: 'upsert with a value of B', steps: [`${user(A, `email of ${B}`)} on conflict (account_id, email) do update set first_name = 'y' returning account_id, first_name`], expect: that('a new row of A', ({ rows }) => rows[0]?.first_name === 'x') },
  { number: 10, what: 'on conflict do nothing, with a value of B', steps: [`${user(A, `email of ${B}`)} on conflict do nothing returning account_id`], expect: own },
  { number: 11, what: 'a unique value of B', steps: [user(A, `email of ${B}`)], expect: touched(1) },
  { number: 11, what: 'a key of B', steps: s => [`insert into projects (account_id, id, name) values (${A}, '${s.b.project}', 'x')`], expect: touched(1) },
  { number: 12, what: 'merge: update of B', steps: [`merge into projects p using (values (${B})) v (account) on p.account_id = v.account when matched then update set name = 'x'`], expect: nothing },
  { number: 12, what: 'merge: delete of B', steps: [`merge into projects p using (values (${B})) v (account) on p.account_id = v.account when matched then delete`], expect: nothing },
  { number: 12, what: 'merge: insert for B', steps: [`merge into projects p using (values (${B})) v (account) on p.account_id = v.account when not matched then insert (account_id, id, name) values (v.account, gen_random_uuid(), 'x')`], expect: refused('42501') },
  { number: 13, what: 'truncate', steps: ['truncate subtasks'], expect: refused('42501') },
  { number: 13, what: 'truncate cascade', steps: ['truncate accounts cascade'], expect: refused('42501') },
  { number: 14, what: 'set_config, then read', steps: s => [`select ${setTo(s)}`, 'select * from tasks'], expect: refused('42501') },
  { number: 14, what: 'set_config, with the hole that the right to it would be', steps: ["select set_config('app.current_tenant', '2', true)", 'select * from tasks'], hole: ['grant execute on function pg_catalog.set_config(text, text, boolean) to rowhouse_app'], expect: perLock(theirs, refused('42501')) },
  { number: 15, what: 'set_config in a condition', steps: s => [`select * from tasks where ${setTo(s)} is not null`], expect: refused('42501') },
  { number: 16, what: 'set_config in a materialized CTE', steps: s => [`with x as materialized (select ${setTo(s)}) select t.* from x, lateral (select * from tasks) t`], expect: refused('42501') },
  { number: 16, what: 'enter in a materialized CTE', steps: s => [`with x as materialized (select tenancy.enter('${stolen(s)}')) select t.* from x, lateral (select * from tasks) t`], expect: refused('42501') },
  { number: 17, what: 'query_to_xml of SET', steps: [`select query_to_xml('set local app.current_tenant = ''${B}''', true, true, '')`, 'select * from tasks'], expect: refused('0A000') },
  { number: 18, what: 'query_to_xml of set_config', steps: s => [`select query_to_xml('select ${setTo(s).replaceAll("'", "''")}', true, true, '')`, 'select * from tasks'], expect: refused('42501') },
  { number: 18, what: 'ts_rewrite of set_config', steps: s => [`select ts_rewrite('a'::tsquery, 'select ''a''::tsquery, ''b''::tsquery where ${setTo(s).replaceAll("'", "''")} is not null')`, 'select * from tasks'], expect: refused('42501') },
  { number: 18, what: 'ts_stat of SET', steps: [`select * from ts_stat('set local app.current_tenant = ''${B}''')`], expect: refused('42P11') },
  { number: 19, what: 'update pg_settings', steps: ["update pg_settings set setting = '0' where name = 'statement_timeout'"], expect: perLock(refused('42501'), nothing) },
  { number: 19, what: 'update pg_settings, the tenant', steps: [`update pg_settings set setting = '${B}' where name = 'app.current_tenant'`, 'select * from tasks'], expect: perLock(refused('42501'), own) },
  { number: 20, what: 'stacked statements', steps: [`select * from tasks where name = 'x'; set local app.current_tenant = '${B}'; select * from tasks`], expect: refused('42601') },
  { number: 20, what: 'SET LOCAL as a statement of its own', steps: s => [`set local app.current_tenant = '${stolen(s)}'`, 'select * from tasks'], expect: perLock(theirs, refused('42501')), accepted: ownStatements },
  { number: 21, what: 'set_config in a DO block', steps: s => [`do $$ begin perform ${setTo(s)}; end $$`, 'select * from tasks'], expect: refused('42501') },
  { number: 21, what: 'SET in a DO block', steps: s => [`do $$ begin set local app.current_tenant = '${stolen(s)}'; end $$`, 'select * from tasks'], expect: perLock(theirs, refused('42501')), accepted: ownStatements },
  { number: 22, what: 'reset the tenant', steps: ['reset app.current_tenant', 'select * from tasks'], expect: nothing },
  { number: 22, what: 'reset all', steps: ['reset all', 'select * from tasks'], expect: nothing },
  { number: 22, what: 'discard all', steps: ['discard all'], expect: refused('25001') },
  { number: 22, what: 'reset, then enter', steps: s => ['reset all', `select tenancy.enter('${stolen(s)}')`, 'select * from tasks'], expect: perLock(theirs, refused('42501')), accepted: ownStatements },
  { number: 23, what: 'row_security off', steps: ['set local row_security = off', 'select * from tasks'], expect: refused('42501') },
  ...['set role rowhouse_owner', 'set role postgres', 'set session authorization rowhouse_owner'].map(step =>
    ({ number: 24, what: step, steps: [step, 'select * from tasks'], expect: refused('42501') })),
  { number: 25, what: 'reset role', steps: ['reset role', 'select current_user'], expect: value('rowhouse_app') },
  { number: 26, what: 'set_config of role', steps: ["select set_config('role', 'rowhouse_owner', true)"], expect: refused('42501') }
]
