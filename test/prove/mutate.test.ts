// Each part of the second wall is taken down, and somebody must notice. A probe that cannot fail proves nothing; and each that there is
// sees something that no other does.
import t, { type Test } from 'tap'
import { contextNames } from '../../src/prove/contexts.ts'
import { fingerprint, readFacts } from '../../src/prove/facts.ts'
import { openLine } from '../../src/prove/line.ts'
import { type Trial, named } from '../../src/prove/mutate.ts'
import { type Probe, verbs } from '../../src/prove/probes.ts'
import { prove } from '../../src/prove/prove.ts'
import { asText, exitCode } from '../../src/prove/report.ts'
import { A, B, type TestDatabase, testDatabase } from '../support/database.ts'
import { everythingOf, plant } from '../support/rows.ts'
import { signing } from '../support/server.ts'

const target = ({ appUrl, ownerUrl, adminUrl, lock }: TestDatabase) => ({ appUrl, ownerUrl, adminUrl, signing: lock === 'signed' ? signing : undefined })

/** All that a run could leave behind, as a superuser sees it. */
async function standing (t: Test, { admin, adminUrl }: TestDatabase): Promise<string[]> {
  const line = await openLine(adminUrl, 'ADMIN_DATABASE_URL')
  t.teardown(() => line.end())
  const rows = await admin`select (select count(*) from accounts) as accounts, (select count(*) from users) as users, (select count(*) from projects) as projects,
    (select count(*) from tasks) as tasks, (select count(*) from subtasks) as subtasks, (select count(*) from directory) as hosts`
  const functions = await admin`select prosrc, proacl::text from pg_proc where proname in ('enter', 'current_account', 'set_config') order by oid`
  return [fingerprint(await readFacts(line)), JSON.stringify([rows, functions]), await everythingOf(admin, A), await everythingOf(admin, B)]
}

for (const lock of ['revoked', 'signed'] as const) {
  t.test(`every mutant is seen, every probe is needed, nothing is left (lock: ${lock})`, async t => {
    const database = await testDatabase(t, lock)
    await plant(database.admin, A, B)
    const before = await standing(t, database)
    const proof = await prove(target(database))
    const { results, trials = [] } = proof
    t.same(await standing(t, database), before, 'as before')

    t.same(results.filter(({ verdict }) => verdict !== 'held'), [])
    t.equal(exitCode(proof), 0)
    t.match(asText(proof), /✓ seen +tasks: no policy +select insert update delete\n[^]*\nmutation score 100 % \((\d+) of \1\)\n?$/)
    for (const { mutant, seenBy } of trials) t.ok(seenBy.length > 0, `seen: ${named(mutant)}`)
    t.ok(trials.length >= 25, `${trials.length} mutants`)
    t.equal(new Set(trials.map(({ mutant }) => named(mutant))).size, trials.length, 'each with a name of its own')

    const used = new Set(results.map(({ probe }) => probe.verb))
    for (const verb of verbs.filter(each => used.has(each))) {
      t.not(without(trials, probe => probe.verb === verb).length, 0, `without the verb ${verb} a mutant survives: ${without(trials, probe => probe.verb === verb)[0]}`)
    }
    for (const context of contextNames) {
      t.not(without(trials, probe => probe.context === context).length, 0, `without the context ${context}: ${without(trials, probe => probe.context === context)[0]}`)
    }
    t.same(verbs.filter(verb => !used.has(verb)), lock === 'signed' ? ['set_config'] : [], 'where the context is signed, set_config is nobody\'s secret')
  })
}

/** The mutants that would survive if these probes were not there. */
const without = (trials: Trial[], isGone: (probe: Probe) => boolean): string[] =>
  trials.filter(({ seenBy }) => seenBy.every(({ probe }) => isGone(probe))).map(({ mutant }) => named(mutant))

t.test('cut off in the middle, it leaves nothing either', async t => {
  const database = await testDatabase(t)
  await plant(database.admin, A, B)
  const before = await standing(t, database)
  for (const [who, isWhom] of [['the app role', '<>'], ['the superuser', '=']] as const) {
    // as soon as it has written something
    const killer = database.admin.unsafe(`
      do $$ begin
        for i in 1..20000 loop
          perform pg_terminate_backend(pid) from pg_stat_activity
            where application_name = 'rowhouse prove' and datname = current_database() and backend_xid is not null and usename ${isWhom} current_user;
          exit when found;
          perform pg_stat_clear_snapshot(), pg_sleep(0.001);
        end loop;
      end $$`).execute()
    await t.rejects(prove(target(database)), { message: /cannot be used: the connection was lost|could not (run|be tried)/ }, who)
    await killer
    t.same(await standing(t, database), before, `${who}: as before`)
  }
  const stop = new AbortController()
  const running = prove({ ...target(database), signal: stop.signal })
  setTimeout(() => stop.abort(), 1_000)
  await t.rejects(running, Error, 'stopped by a signal')
  t.same(await standing(t, database), before, 'a signal: as before')
})

t.test('what is sent after a connection was lost is not done', async t => {
  const { appUrl } = await testDatabase(t)
  const line = await openLine(appUrl, 'DATABASE_URL')
  t.teardown(() => line.end())
  const outside = { code: '25P01' }
  await t.rejects(line.run(['delete from accounts']), outside, 'outside a transaction')
  await t.rejects(line.attempt([{ text: 'delete from accounts' } as Probe]), outside)
  await t.rejects(line.tried('delete from accounts'), outside)
})

t.test('what leaks already is not mutated; and what takes a row that is there is seen on an empty database, too', async t => {
  const [one, other] = [await testDatabase(t), await testDatabase(t)]
  await one.admin.unsafe('drop policy tenant_isolation on tasks')
  const leaking = await prove(target(one))
  t.match([leaking.trials, exitCode(leaking)], [undefined, 1])

  const isolation = 'account_id = tenancy.current_account()'
  for (const statement of [
    'drop policy tenant_isolation on tasks',
    `create policy a on tasks as restrictive for select to rowhouse_app using (${isolation} or current_setting('app.current_tenant', true) is null)`,
    `create policy b on tasks as restrictive for insert to rowhouse_app with check (${isolation})`,
    `create policy c on tasks as restrictive for update to rowhouse_app using (${isolation})`,
    `create policy d on tasks as restrictive for delete to rowhouse_app using (${isolation})`
  ]) await other.admin.unsafe(statement)
  t.equal(exitCode(await prove({ ...target(other), adminUrl: undefined })), 0, 'nothing is there to be read')
  const { results, trials } = await prove(target(other))
  t.match(results.filter(({ verdict }) => verdict !== 'held'), [{ probe: { table: 'tasks', verb: 'select', context: 'no tenant' }, verdict: 'leak' }])
  t.equal(trials, undefined)
})

t.test('the superuser must be one, and of the same database', async t => {
  const [one, other] = [await testDatabase(t), await testDatabase(t)]
  await t.rejects(prove({ ...target(other), adminUrl: one.adminUrl }), { message: /lead to different databases/ })
  await t.rejects(prove({ ...target(other), adminUrl: other.ownerUrl }), { message: /no superuser/ })
})

t.test('a lock that somebody holds is not waited for', async t => {
  const database = await testDatabase(t)
  for (const mode of ['access exclusive', 'share']) {
    await database.admin.unsafe(`begin; lock table tasks in ${mode} mode`)
    await t.rejects(prove(target(database)), { message: /^Somebody holds a lock on the tables/ }, mode)
    await database.admin.unsafe('rollback')
  }
})
