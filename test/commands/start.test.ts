// What `start` says and leaves behind where several processes serve: as much as one would.
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { run, start } from '../support/cli.ts'
import { dataDir } from '../support/data-dir.ts'
import { furnished, two } from '../support/process.ts'

t.jobs = 2

t.test('a start that cannot be is told once', async t => {
  const { appUrl, admin } = (await furnished(t)).direct
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  t.teardown(() => taken.close())
  const { port } = taken.address() as { port: number }
  const environment = { DATABASE_URL: appUrl, HOST: '127.0.0.1', PORT: String(port), WEB_CONCURRENCY: '3' }
  t.match(await run(t, ['start'], environment), { code: 1, out: '', err: /^Cannot listen on 127\.0\.0\.1:\d+: something else listens there\. .*\n$/ })
  await admin.unsafe('alter table tasks disable row level security')
  t.match(await run(t, ['start'], environment), { code: 1, out: '', err: /^This database is not safe to serve from\. .*\(D04\) See: npm run doctor\n$/ })
})

t.test('the embedded server is held by the primary, for all of them, and released in the end', async t => {
  const DATA_DIR = await dataDir(t)
  const running = start(t, ['start'], { ...two, DATA_DIR, PORT: '0', HOST: '127.0.0.1' })
  await running.printed(/(Server listening[^]*){2}/)
  t.same(await readdir(join(DATA_DIR, 'leases')), [String(running.child.pid)])
  running.child.kill('SIGINT')
  t.match(await running.ended, { code: 0, err: '' })
  t.same(await readdir(join(DATA_DIR, 'leases')), [])
  t.notOk((await readdir(join(DATA_DIR, 'cluster', 'data'))).includes('postmaster.pid'))
})
