// Which hosts lead where: threats.md, D6, the rows headed Host.
import t from 'tap'
import { testDatabase } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { testSite } from '../support/http.ts'

t.test('hosts', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1, 2)
  const site = await testSite(t, database)
  const total = async (host: string, headers = {}) => (await site.get(host, '/api/subtasks', { headers })).json().total

  t.test('an account\'s host, however it is written', async t => {
    for (const host of ['tenant-1.localhost', 'TENANT-1.LocalHost', 'tenant-1.localhost.', 'tenant-1.localhost:3000', 'tenant-1.localhost.:80']) {
      t.equal(await total(host), 2, host)
    }
  })

  t.test('hosts that lead nowhere', async t => {
    const cases: [host: string, status: number, code: string][] = [
      ['nobody.localhost', 404, 'account_not_found'],
      ['localhost', 404, 'account_not_found'],
      ...['www', 'api', 'admin', 'app', 'mail', '_dmarc', '-a', 'a-', 'a.tenant-1', 'a'.repeat(64), 'xn--', 'tenant-1.'].map(name =>
        [`${name}.localhost`, 404, 'account_not_found'] as [string, number, string]),
      ...['127.0.0.1', '[::1]', 'evil.test', 'tenant-1localhost', 'tenant-1.localhost.evil.test', 'tenant-1.localhost..', 'x@tenant-1.localhost',
        'tenant-1.localhost@evil', 'tenant-1.localhost:80:80', 'tenant-1.localhost:99999', 'tenant-1.localhost:abc', 'tenant-1.localhost/x',
        'tenant-1.localhost?x', 'tenant-1.localhost#x', 'tenant-1\t.localhost', 'tenant-1,localhost', '%00.localhost', 'a'.repeat(300), 't\u00e9.localhost'].map(name =>
        [name, 421, 'host_not_served'] as [string, number, string])
    ]
    for (const [host, status, code] of cases) {
      const reply = await site.get(host, '/api/subtasks')
      t.match({ status: reply.status, code: reply.json().code }, { status, code }, JSON.stringify(host))
      const page = await site.get(host, '/subtasks/')
      t.equal(page.status, status)
      t.match(page.body, '<!doctype html>')
    }
  })

  t.test('none of them took a connection to the tenants\' tables', async t => {
    const fresh = await testSite(t, database)
    const connections = async () => (await database.admin`select count(*)::int as n from pg_stat_activity where datname = ${database.name} and application_name = 'rowhouse'`)[0]!.n
    const before = await connections()
    for (const host of ['evil.test', 'www.localhost', 'localhost', 'nobody.localhost', '']) await fresh.get(host, '/subtasks/')
    t.equal(await connections(), before)
  })

  t.test('one Host header, and no other word counts', async t => {
    const lines = (...headers: string[]) => site.raw(['GET /api/subtasks HTTP/1.1', ...headers, 'Connection: close', '', ''].join('\r\n'))
    t.match(await lines('Host: tenant-0.localhost', 'Host: tenant-1.localhost'), /^HTTP\/1.1 4(00|21)/)
    t.match(await lines(), /^HTTP\/1.1 400/)
    t.match(await lines('Host:'), /^HTTP\/1.1 4(00|21)/)
    t.match(await site.raw('GET /api/subtasks HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 421/)
    const absolute = await site.raw('GET http://tenant-1.localhost/api/subtasks HTTP/1.1\r\nHost: tenant-0.localhost\r\nConnection: close\r\n\r\n')
    t.match(absolute, /^HTTP\/1.1 421/)
    t.match(await site.raw('GET http://tenant-1.localhost/api/subtasks HTTP/1.1\r\nHost: tenant-1.localhost\r\nConnection: close\r\n\r\n'), '"total":2')
    for (const header of ['x-forwarded-host', 'x-host', 'forwarded', 'x-original-host']) {
      t.equal(await total('tenant-0.localhost', { [header]: 'tenant-1.localhost' }), 1, header)
    }
  })

  t.test('a proxy is believed if it is named, and nobody else', async t => {
    const behind = await testSite(t, database, { TRUST_PROXY: '127.0.0.1' })
    const through = async (site: typeof behind) => (await site.get('tenant-0.localhost', '/api/subtasks', { headers: { 'x-forwarded-host': 'tenant-1.localhost' } })).json().total
    t.equal(await through(behind), 2)
    t.equal(await through(await testSite(t, database, { TRUST_PROXY: '10.0.0.1' })), 1)
  })

  t.test('the bare domain says what this is', async t => {
    const { status, body } = await site.get('localhost:3000', '/')
    t.equal(status, 200)
    t.match(body, 'This is Rowhouse.')
    t.equal((await site.get('nobody.localhost', '/')).status, 404)
  })

  t.test('a suspended account is closed, soon', async t => {
    await database.admin`update accounts set status = 'suspended' where account_id = 1`
    const fresh = await testSite(t, database)
    const { status, body } = await fresh.get('tenant-0.localhost', '/subtasks/')
    t.equal(status, 403)
    t.match(body, 'suspended')
    t.equal((await fresh.get('tenant-0.localhost', '/api/subtasks')).json().code, 'account_suspended')
  })
})
