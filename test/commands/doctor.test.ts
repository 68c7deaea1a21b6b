import t from 'tap'
import { testDatabase } from '../support/database.ts'
import { run } from '../support/cli.ts'

t.test('doctor: green, red, and unable to look', async t => {
  const { admin, appUrl, adminUrl } = await testDatabase(t)
  const doctor = (...flags: string[]) => run(t, ['doctor', ...flags], { DATABASE_URL: appUrl, ADMIN_DATABASE_URL: adminUrl })

  const green = await doctor()
  t.equal(green.code, 0, green.out + green.err)
  t.match(green.out, /^PostgreSQL \d+\.\d+, database rowhouse_test_\w+, as rowhouse_app\. Against forged tenants: set_config is revoked\.\n/)
  t.match(green.out, /\n✓ D01 {2}The app role has no right that voids the walls\.\n[\s\S]*\n✓ D48 .*\n\n\d+ checks, nothing found\.\n$/)
  t.equal(green.err, '')

  await admin.unsafe('alter table tasks disable row level security')
  const red = await doctor()
  t.equal(red.code, 1)
  t.match(red.out, /\n✗ D04 {2}Every table .*\n {7}critical: The table tasks has no row-level security\.\n {7}To mend it: .*db:migrate\.\n/)
  t.match(red.out, /\n\d+ checks: \d critical\.\n$/)

  const { out, code } = await doctor('--json')
  t.equal(code, 1)
  const { checks, database, summary } = JSON.parse(out)
  t.match(database, { role: 'rowhouse_app', lock: 'set_config is revoked', pooler: false })
  t.match(checks.find(({ id }: { id: string }) => id === 'D04'), { ok: false, findings: [{ severity: 'critical', found: /tasks/, mend: /db:migrate/ }] })
  t.equal(checks.length, summary.checks)
  t.ok(summary.critical > 0)

  t.same(await run(t, ['doctor'], { DATABASE_URL: 'postgres://rowhouse_app:x@127.0.0.1:1/x' }),
    { code: 2, out: '', err: 'The server of DATABASE_URL cannot be used: nothing listens there.\n' })
})

t.test('doctor: what is medium does not fail it; without a superuser, rows are not compared', async t => {
  const { admin, appUrl } = await testDatabase(t)
  await admin.unsafe('create publication everywhere for table tasks')
  const { code, out } = await run(t, ['doctor'], { DATABASE_URL: appUrl })
  t.equal(code, 0)
  t.match(out, /✗ D32 .*\n {7}medium: /)
  t.match(out, /D42 .*Rows were not compared: that takes ADMIN_DATABASE_URL\./)
})
