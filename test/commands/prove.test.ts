// npm run prove, as a user runs it: what it prints, and its exit code.
import t from 'tap'
import { tenantTables } from '../../src/db/schema.ts'
import prove from '../../src/commands/prove.ts'
import { loadConfig } from '../../src/config.ts'
import { printedBy, run } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { signing } from '../support/server.ts'

/** Without a process of its own. */
const proveHere = (environment: Record<string, string>, flags: object) =>
  prove(loadConfig(environment, false), new AbortController().signal, { mutate: false, json: false, ...flags })

t.test('0: the walls hold; 1: they do not, and it says where', async t => {
  const { admin, appUrl, ownerUrl, adminUrl } = await testDatabase(t)
  const environment = { DATABASE_URL: appUrl, OWNER_DATABASE_URL: ownerUrl, ADMIN_DATABASE_URL: adminUrl.replace(/[^/]*$/, 'postgres') }
  const held = await run(t, ['prove'], environment)
  t.match(held, { code: 0, err: '' })
  t.match(held.out, /^tasks +✓ 7 .*\n/m)
  t.match(held.out, new RegExp(`^other tenant +✓ ${tenantTables.length + 1} `, 'm'))
  t.match(held.out, new RegExp(`set_config is revoked[^]*${tenantTables.length} tables x 11 verbs x 7 contexts: \\d{3} probes, 0 leaks\n$`))

  await admin.unsafe('create policy tenant_select on tasks as restrictive for select to rowhouse_app using (true); drop policy tenant_isolation on tasks')
  await admin.unsafe('create policy tenant_insert on tasks as restrictive for insert to rowhouse_app with check (account_id = tenancy.current_account())')
  const leaking = await run(t, ['prove', '--mutate'], environment)
  t.match(leaking, { code: 1, err: '' })
  t.match(leaking.out, /^✗ LEAK {3}tasks · select · other tenant: 1 row$/m)
  t.match(leaking.out, /, \d+ leaks, .*not tried\n\nNo part was taken down, since the walls leak as they are\.\n$/)
  t.notMatch(leaking.out, /LEAK {3}tasks · insert/)
})

t.test('--json: nothing else, with what the proof rests on', async t => {
  const { admin, appUrl } = await testDatabase(t, 'signed')
  const environment = { DATABASE_URL: appUrl, TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: signing.current }
  const held = await run(t, ['prove', '--json'], environment)
  t.match(held, { code: 0, err: '' })
  const proof = JSON.parse(held.out)
  t.match(proof, {
    ok: true,
    server: { version: /^\d+/ },
    user: 'rowhouse_app',
    role: { superuser: false, bypassrls: false },
    lock: { setConfigRevoked: false, signed: true },
    tables: { tasks: { rls: true, force: true, policies: { tenant_isolation: /^[0-9a-f]{16}$/ } } },
    functions: { 'tenancy.current_account()': /^[0-9a-f]{16}$/ }
  })
  t.notOk(proof.probes.some((probe: { verb: string }) => probe.verb === 'owner'), 'the owner was not there to be probed')
  t.notMatch(held.out, signing.current)

  await admin.unsafe('grant select on directory to rowhouse_app')
  let code: number | undefined
  const text = await printedBy(t, async () => { code = await proveHere(environment, { json: true }) })
  t.equal(code, 1)
  t.match(JSON.parse(text).probes.filter((probe: { verdict: string }) => probe.verdict !== 'held'), [{ table: 'directory', verb: 'select', verdict: 'leak' }])
})

t.test('2: it could not run, and says why in one line', async t => {
  const { appUrl } = await testDatabase(t)
  t.match(await run(t, ['prove', '--json'], { DATABASE_URL: 'postgres://rowhouse_app:x@127.0.0.1:1/x' }),
    { code: 2, out: '', err: /^The server of DATABASE_URL cannot be used: nothing listens there\.\n$/ })
  t.match(await run(t, ['prove'], { DATABASE_URL: 'nonsense' }), { code: 2, out: '', err: /^DATABASE_URL is "\*\*\*", but must be .*\n$/ })
  await t.rejects(proveHere({ DATABASE_URL: appUrl }, { mutate: true }), { message: /^ADMIN_DATABASE_URL is not set\. --mutate takes a superuser.*$/ })
})
