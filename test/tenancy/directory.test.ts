// Which account a host leads to: remembered for as long as five seconds, and looked up again, with all others in use, before that.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createDirectory } from '../../src/tenancy/directory.ts'
import { furnish } from '../support/accounts.ts'
import { testDatabase } from '../support/database.ts'
import { testProxy } from '../support/proxy.ts'

async function scene (t: Test, accounts: number) {
  const database = (await testDatabase(t)).direct
  await furnish(t, database, ...Array<number>(accounts).fill(1))
  const proxy = await testProxy(t, database.appUrl)
  const directory = createDirectory(proxy.url(database.appUrl))
  t.teardown(() => directory.close())
  const hosts = Array.from({ length: accounts }, (_, i) => `tenant-${i}.localhost`)
  const lookUps = () => [...proxy.said.matchAll(/\["[^\]]*\]/g)].map(([asked]) => (JSON.parse(asked) as string[]).sort())
  return { database, directory, hosts, lookUps }
}

t.test('a host that many ask for at once is looked up once', async t => {
  const { directory, hosts: [host], lookUps } = await scene(t, 1)
  const answers = await Promise.all(Array.from({ length: 20 }, () => directory.resolve(host!)))
  t.ok(answers.every(account => account?.slug === 'tenant-0'))
  t.same(lookUps(), [[host]])
})

t.test('hosts in use are looked up together, without anyone waiting for it; a change is seen within five seconds', async t => {
  const { database, directory, hosts, lookUps } = await scene(t, 5)
  const statuses = () => Promise.all([...hosts, 'nobody.localhost'].map(async host => (await directory.resolve(host))?.status))
  t.same(await statuses(), ['active', 'active', 'active', 'active', 'active', undefined])
  await database.admin`update accounts set status = 'suspended' where account_id = 1`
  await database.admin`delete from directory where account_id = 2`
  const changed = Date.now()
  const first = lookUps().length
  while ((await statuses()).join() !== 'suspended,,active,active,active,') {
    t.ok(Date.now() - changed < 6_000, 'it is seen soon')
    await sleep(50)
  }
  t.same(lookUps().slice(first), [hosts], 'one statement for all; the host that leads nowhere is not in use')
})

t.test('after a lull, whoever asks first has the hosts that were in use looked up together', async t => {
  const { directory, hosts, lookUps } = await scene(t, 5)
  for (const host of hosts) await directory.resolve(host)
  const before = lookUps().length
  const now = Date.now
  t.intercept(Date, 'now', { value: () => now() + 30_000 })
  const [first, ...others] = hosts
  await directory.resolve(first!)
  for (const host of others) t.match(directory.known(host), { slug: host.split('.')[0] })
  t.same(lookUps().slice(before), [hosts])
})
