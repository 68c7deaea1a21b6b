// What stands between us and the server, and what that means for named statements. PgBouncer itself: test/faults/pgbouncer.pooled.ts.
import { type AddressInfo, connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { findPooler } from '../../src/db/pooler.ts'
import { testDatabase } from '../support/database.ts'
import { testProxy } from '../support/proxy.ts'

t.test('the server itself, or a proxy that changes nothing', async t => {
  const { direct } = await testDatabase(t)
  const proxy = await testProxy(t, direct.appUrl)
  t.same(await findPooler(direct.appUrl), { pooler: false, namedStatements: true })
  t.same(await findPooler(proxy.url(direct.appUrl)), { pooler: false, namedStatements: true })
})

t.test('one that tells another process id is a pooler; one that gives statements other names carries them', async t => {
  const { direct: { appUrl } } = await testDatabase(t)
  t.same(await findPooler(await likeAPooler(t, appUrl, { renames: false })), { pooler: true, namedStatements: false })
  t.same(await findPooler(await likeAPooler(t, appUrl, { renames: true })), { pooler: true, namedStatements: true })
})

t.test('a server that is not there, or a password that is wrong, is an error', async t => {
  const { direct: { appUrl } } = await testDatabase(t)
  await t.rejects(findPooler('postgres://rowhouse_app:x@127.0.0.1:1/x'), { code: 'ECONNREFUSED' })
  await t.rejects(findPooler(appUrl.replace(/:[^:@]*@/, ':wrong@')), { code: '28P01' })
})

/** A proxy that invents the process id, as poolers do, and perhaps changes the statements' names, as those that carry them do. */
async function likeAPooler (t: Test, target: string, { renames }: { renames: boolean }): Promise<string> {
  const { hostname, port } = new URL(target)
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    upstream.on('error', () => {}).on('close', () => client.destroy())
    client.on('error', () => {}).on('close', () => upstream.destroy())
    upstream.on('data', chunk => {
      const key = chunk.indexOf('K\0\0\0\x0c', 0, 'latin1')
      if (key >= 0) chunk.writeInt32BE(1, key + 5)
      client.write(chunk)
    })
    client.on('data', chunk => {
      const name = renames && /P[^]{4}([a-z0-9]+)\0/.exec(chunk.toString('latin1'))?.[1]
      upstream.write(name ? Buffer.from(chunk.toString('latin1').replaceAll(`${name}\0`, `${'X'.repeat(name.length)}\0`), 'latin1') : chunk)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise<void>(resolve => server.close(() => resolve())))
  return Object.assign(new URL(target), { port: String((server.address() as AddressInfo).port) }).href
}
