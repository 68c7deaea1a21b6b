import t from 'tap'
import { parseHost } from '../../src/tenancy/host.ts'

t.test('a base domain of several labels', async t => {
  const host = (header: string) => parseHost(header, 'rowhouse.example.com')
  t.same(host('rowhouse.example.com'), { kind: 'bare' })
  t.same(host('Rowhouse.Example.com.:443'), { kind: 'bare' })
  t.same(host('acme.rowhouse.example.com'), { kind: 'account', host: 'acme.rowhouse.example.com' })
  t.same(host('ACME.rowhouse.example.com.:8080'), { kind: 'account', host: 'acme.rowhouse.example.com' })
  for (const header of ['example.com', 'acmerowhouse.example.com', 'rowhouse.example.com.evil.test', 'xrowhouse.example.com', '', '.', ':80', 'a b']) {
    t.throws(() => host(header), { code: 'host_not_served', statusCode: 421, message: /rowhouse\.example\.com/ }, JSON.stringify(header))
  }
  for (const header of ['.rowhouse.example.com', 'a.b.rowhouse.example.com', '-a.rowhouse.example.com', 'www.rowhouse.example.com', '_a.rowhouse.example.com']) {
    t.throws(() => host(header), { code: 'account_not_found', statusCode: 404 }, header)
  }
})
