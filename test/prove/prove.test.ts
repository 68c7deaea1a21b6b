// The proof is red for each hole that is really there, and says where; it is never green for a reason of its own.
import t from 'tap'
import { type Target, prove } from '../../src/prove/prove.ts'
import { judge } from '../../src/prove/probes.ts'
import { exitCode } from '../../src/prove/report.ts'
import { suiteFor } from '../../src/prove/run.ts'
import { A, testDatabase } from '../support/database.ts'
import { plant } from '../support/rows.ts'
import { type Lock, signing } from '../support/server.ts'

const isolation = 'account_id = tenancy.current_account()'
const setConfig = 'execute on function pg_catalog.set_config(text, text, boolean)'
const key = 'alter table tasks drop constraint tasks_project_id_fk, add constraint tasks_project_id_fk foreign key'

interface Hole { id: string, lock?: Lock, hole: string[], mend: string[], seen: string }

/** A policy with other clauses. */
function otherPolicy (table: string, clauses: string): Pick<Hole, 'hole' | 'mend'> {
  const replaced = (by: string) => [`drop policy tenant_isolation on ${table}`, `create policy tenant_isolation on ${table} as restrictive ${by}`]
  return { hole: replaced(clauses), mend: replaced(`to rowhouse_app using (${isolation}) with check (${isolation})`) }
}

/** No two that could be taken for each other: each is seen by a probe of its own. */
const holes: Hole[] = [
  { id: 'D2 #1', hole: ['alter table invitations disable row level security'], mend: ['alter table invitations enable row level security'], seen: 'leak: invitations · select · other tenant' },
  { id: 'D2 #5', ...otherPolicy('projects', `to rowhouse_app using (${isolation}) with check (true)`), seen: 'leak: projects · insert · other tenant' },
  { id: 'D2 #6', ...otherPolicy('subtasks', `for update to rowhouse_app using (${isolation}) with check (true)`), seen: 'leak: subtasks · move · other tenant' },
  { id: 'D2 #8', ...otherPolicy('sessions', `for select to rowhouse_app using (${isolation})`), seen: 'leak: sessions · delete · empty' },
  { id: 'D2 #13', hole: ['grant truncate on users to rowhouse_app'], mend: ['revoke truncate on users from rowhouse_app'], seen: 'leak: users · truncate · garbage' },
  { id: 'D2 #15', lock: 'revoked', hole: [`grant ${setConfig} to public`], mend: [`revoke ${setConfig} from public`], seen: 'leak: api_tokens · set_config · other tenant' },
  {
    id: 'D2 #47',
    hole: ['alter table projects add constraint single unique (id)', `${key} (project_id) references projects (id)`],
    mend: [`${key} (account_id, project_id) references projects (account_id, id) on delete cascade`, 'alter table projects drop constraint single'],
    seen: 'leak: tasks · link · other tenant'
  },
  {
    id: 'D2 #50',
    hole: ['create view everything as select * from tasks', 'grant select on everything to rowhouse_app'],
    mend: ['drop view everything'],
    seen: 'leak: everything · select · other tenant'
  },
  { id: 'A3', hole: ['create table notes (account_id bigint)', 'grant insert on notes to rowhouse_app'], mend: ['drop table notes'], seen: 'leak: notes · insert · other tenant' },
  { id: 'A4', hole: ['create policy stray on tasks using (true) with check (true)'], mend: ['drop policy stray on tasks'], seen: 'leak: tasks · owner · the owner' },
  { id: 'A2', hole: ['alter table users no force row level security'], mend: ['alter table users force row level security'], seen: 'leak: users · owner · the owner' },
  { id: 'D06', hole: ['drop policy tenant_access on rate_counts'], mend: ['create policy tenant_access on rate_counts to rowhouse_app using (true) with check (true)'], seen: 'dead: rate_counts · own · itself' },
  { id: 'D36', lock: 'signed', hole: ['grant select on tenancy.signing_keys to rowhouse_app'], mend: ['revoke select on tenancy.signing_keys from rowhouse_app'], seen: 'leak: tenancy.signing_keys · select · other tenant' }
]

const targetOf = async (t: Parameters<typeof testDatabase>[0], lock: Lock) => {
  const { admin, appUrl, ownerUrl, name } = await testDatabase(t, lock)
  return { admin, name, target: { appUrl, ownerUrl, signing: lock === 'signed' ? signing : undefined } satisfies Target }
}

for (const lock of ['revoked', 'signed'] as const) {
  t.test(`holes that are really there (lock: ${lock})`, async t => {
    const { admin, target } = await targetOf(t, lock)
    const ours = holes.filter(each => (each.lock ?? lock) === lock)
    for (const { hole } of ours) for (const statement of hole) await admin.unsafe(statement)
    const proof = await prove(target)
    t.equal(exitCode(proof), 1)
    const found = proof.results.map(({ probe, verdict }) => `${verdict}: ${probe.table} · ${probe.verb} · ${probe.context}`)
    for (const { id, seen } of ours) t.ok(found.includes(seen), `${id}: ${seen}`)
    for (const { mend } of ours) for (const statement of mend) await admin.unsafe(statement)
    t.equal(exitCode(await prove(target)), 0, 'all mended')
  })
}

t.test('D27: a tenant that the role brings along is seen where there should be none', async t => {
  const { admin, name, target } = await targetOf(t, 'revoked')
  await plant(admin, A)
  await admin.unsafe(`alter role rowhouse_app in database ${name} set app.current_tenant = '${A}'`)
  const { results } = await prove(target)
  t.same([...new Set(results.filter(({ verdict }) => verdict === 'leak').map(({ probe }) => probe.context))], ['no tenant'])
})

t.test('D2 #56: a stray permissive policy is no hole', async t => {
  const { admin, target } = await targetOf(t, 'revoked')
  await admin.unsafe('create policy stray on tasks to rowhouse_app using (true) with check (true)')
  t.equal(exitCode(await prove(target)), 0)
})

t.test('what cannot be proven is said in one sentence', async t => {
  const { admin, target } = await targetOf(t, 'revoked')
  const { target: signed } = await targetOf(t, 'signed')
  await t.rejects(prove({ ...target, appUrl: `${target.appUrl}_not` }), { message: /^The server of DATABASE_URL cannot be used: there is no such database/ })
  await t.rejects(prove({ ...target, ownerUrl: 'postgres://rowhouse_owner:x@127.0.0.1:1/x' }), { message: /^The server of OWNER_DATABASE_URL cannot be used: nothing listens/ })
  await t.rejects(prove({ ...target, signing }), { message: /^TENANT_SIGNING is on, but the database expects an unsigned/ })
  await t.rejects(prove({ ...signed, signing: undefined }), { message: /^TENANT_SIGNING is off, but the database expects a signed/ })
  await t.rejects(prove({ ...signed, signing: { current: signing.current.toUpperCase() } }), { message: /does not accept the tenant contexts/ })
  await admin.unsafe('drop table subtasks')
  await t.rejects(prove(target), { message: /^The database has no subtasks: its migrations are behind/ })
})

t.test('a probe that fails for another reason is never green', t => {
  const facts = { now: 1_800_000_000, closed: [{ name: 'directory', column: 'host', writable: true }] }
  for (const keys of [undefined, signing]) {
    for (const probe of suiteFor(facts as never, keys).probes) {
      for (const code of ['42601', '42703', '42P01', '57014', '55P03', '25P02', '25006', '22021']) {
        const { verdict } = judge(probe, Object.assign(new Error('x'), { name: 'PostgresError', code }))
        if (verdict !== 'error') t.fail(`${code} is ${verdict}: ${probe.table} ${probe.verb} ${probe.context}`)
      }
      t.throws(() => judge(probe, new TypeError('not PostgreSQL')), TypeError)
      if (probe.verb !== 'own') t.equal(judge(probe, 1).verdict, 'leak', `a row is a leak: ${probe.verb}`)
      else t.same([0, 1, 2].map(rows => judge(probe, rows).verdict), ['dead', 'held', 'dead'])
    }
  }
  const held = { results: [{ verdict: 'held' }] }
  const codes = (verdict: string) => exitCode({ results: [...held.results, { verdict }] } as never)
  t.same(['held', 'untried', 'error', 'dead', 'leak'].map(codes), [0, 0, 2, 1, 1])
  t.same([exitCode({ ...held, trials: [{ seenBy: [] }] } as never), exitCode({ ...held, trials: [{ seenBy: held.results }] } as never)], [1, 0], 'a survivor')
  t.end()
})
