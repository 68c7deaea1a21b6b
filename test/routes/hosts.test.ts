// Which hosts lead where: threats.md, D6 1-24, and what else a request may say of its host. That none of the bad ones takes a slot is
// tested in before-the-database.test.ts.
import t from 'tap'
import { testDatabase } from '../support/database.ts'
import { furnish } from '../support/accounts.ts'
import { testSite } from '../support/http.ts'
import { asSignedIn } from '../support/signed-in.ts'
import { request, send } from '../support/wire.ts'

interface Case { name: string, host: string, status: number, code: string }

t.test('hosts', async t => {
  const database = await testDatabase(t)
  await furnish(t, database, 1, 2)
  const site = await testSite(t, database)
  const cookie = `Cookie: ${asSignedIn('tenant-1.localhost').cookie}` // so that nothing but the host is in the way
  const lines = (path: string, ...headers: string[]) => send(site.port, request(`GET ${path} HTTP/1.1`, [...headers, cookie]))
  const total = async (host: string, headers = {}) => (await site.get(host, '/api/subtasks', { headers })).json().total

  await t.test('an account\'s host, however it is written', async t => {
    for (const [name, host] of [
      ['as it is', 'tenant-1.localhost'],
      ['D6 11 in capitals', 'TENANT-1.LocalHost'],
      ['D6 12 a trailing dot', 'tenant-1.localhost.'],
      ['a port', 'tenant-1.localhost:3000'],
      ['both', 'tenant-1.localhost.:80'],
      ['spaces around it, which are not part of it', '  tenant-1.localhost \t']
    ] as const) t.equal(await total(host), 2, name)
  })

  await t.test('hosts that lead nowhere', async t => {
    const nobody = (number: number | string, ...names: string[]): Case[] => names.map(host => ({ name: `D6 ${number} ${host}`, host, status: 404, code: 'account_not_found' }))
    const elsewhere = (number: number | string, ...names: string[]): Case[] => names.map(host => ({ name: `D6 ${number} ${host}`, host, status: 421, code: 'host_not_served' }))
    for (const { name, host, status, code } of [
      ...elsewhere(3, ''),
      ...elsewhere(5, '127.0.0.1', '127.0.0.1:3000', '2130706433', '0x7f.1'),
      ...elsewhere(6, '[::1]', '[::1]:3000', '::1'),
      ...nobody(7, 'localhost', 'localhost:3000', 'LOCALHOST.'),
      ...nobody(8, 'www.localhost'),
      ...nobody(9, 'nobody.localhost', 'tenant-10.localhost', 'tenant-.localhost', 'tenant.localhost'),
      ...nobody(10, 'api.localhost', 'admin.localhost', 'app.localhost', 'mail.localhost', '_dmarc.localhost', 'ADMIN.localhost'),
      ...nobody(13, 'a..localhost', 'tenant-1..localhost'),
      ...elsewhere(13, 'tenant-1.localhost..', '..'),
      ...nobody(14, '.localhost', '.tenant-1.localhost'),
      ...nobody(15, 'a.tenant-1.localhost', 'tenant-0.tenant-1.localhost'),
      ...nobody(16, '-a.localhost', '-tenant-1.localhost'),
      ...nobody(17, 'a-.localhost', 'tenant-1-.localhost'),
      ...nobody(18, `${'a'.repeat(64)}.localhost`),
      ...elsewhere(19, 'a'.repeat(300), `${'a.'.repeat(150)}localhost`),
      ...elsewhere(20, 'x@tenant-1.localhost', 'x:y@tenant-1.localhost'),
      ...elsewhere(21, 'tenant-1.localhost@evil', 'tenant-1.localhost:80@evil'),
      ...elsewhere(22, 'tenant-1.localhost/x', 'tenant-1.localhost?x', 'tenant-1.localhost#x', 'http://tenant-1.localhost', 'tenant-1.localhost\\x'),
      ...elsewhere(23, 'tenant-1.localhost:80:80', 'tenant-1.localhost:99999', 'tenant-1.localhost:abc', 'tenant-1.localhost:', 'tenant-1.localhost:-1', ':80'),
      ...elsewhere(24, 'tenant-1\t.localhost', 'tenant-1 .localhost', 'tenant-1,localhost', 'tenant-0.localhost, tenant-1.localhost', '%00.localhost', '%74enant-1.localhost',
        't\u00e9.localhost', Buffer.from('\u0442enant-1.localhost').toString('latin1')),
      ...nobody(24, 'xn--.localhost', 'xn--tenant-1-.localhost'),
      ...elsewhere('suffix', 'evil.test', 'tenant-1localhost', 'xlocalhost', 'tenant-1.localhost.evil.test', 'tenant-1.localhostx', 'localhost.evil.test')
    ]) {
      for (const path of ['/api/subtasks', '/subtasks/']) {
        const answer = await lines(path, `Host: ${host}`)
        t.equal(answer.status, status, name)
        if (path === '/subtasks/') t.match(answer.body, '<!doctype html>')
        else t.equal(answer.code, code, name)
      }
    }
  })

  await t.test('one Host header, and no other word counts', async t => {
    for (const [name, answer, status] of [
      ['D6 1 missing, HTTP/1.1', await lines('/api/subtasks'), 400],
      ['D6 2 missing, HTTP/1.0', await send(site.port, 'GET /api/subtasks HTTP/1.0\r\n\r\n'), 421],
      ['D6 4 two', await lines('/api/subtasks', 'Host: tenant-0.localhost', 'Host: tenant-1.localhost'), 421],
      ['D6 4 two that agree', await lines('/api/subtasks', 'Host: tenant-1.localhost', 'host: tenant-1.localhost'), 421],
      ['D6 4 one, and an empty one', await lines('/api/subtasks', 'Host: tenant-1.localhost', 'Host:'), 421],
      ['D6 4 folded', await lines('/api/subtasks', 'Host: tenant-0.localhost\r\n tenant-1.localhost'), 400],
      ['D6 24 a space before the colon', await lines('/api/subtasks', 'Host : tenant-1.localhost'), 400],
      ['another one in the line', await lines('http://tenant-1.localhost/api/subtasks', 'Host: tenant-0.localhost'), 421],
      ['another port in the line', await lines('http://tenant-1.localhost:81/api/subtasks', 'Host: tenant-1.localhost:80'), 421],
      ['a name in the line', await lines('http://x@tenant-1.localhost/api/subtasks', 'Host: tenant-1.localhost'), 421],
      ['another scheme', await lines('ftp://tenant-1.localhost/api/subtasks', 'Host: tenant-1.localhost'), 404]
    ] as const) {
      t.equal(answer.status, status, name)
      t.notMatch(answer.body, '"total"', name)
    }
    t.match((await lines('http://tenant-1.localhost/api/subtasks', 'Host: tenant-1.localhost')).body, '"total":2', 'the same one in the line')
    for (const header of ['x-forwarded-host', 'x-host', 'forwarded', 'x-original-host', 'x-forwarded-server', 'x-http-host-override', 'x-original-url', 'x-rewrite-url']) {
      const value = header.endsWith('url') ? '/subtasks/' : header === 'forwarded' ? 'host=tenant-1.localhost' : 'tenant-1.localhost'
      t.equal(await total('tenant-0.localhost', { [header]: value }), 1, header)
    }
  })

  t.test('a proxy is believed if it is named, and nobody else', async t => {
    const behind = await testSite(t, database, { TRUST_PROXY: '127.0.0.1' })
    const through = async (site: typeof behind) => (await site.get('tenant-0.localhost', '/api/subtasks', { headers: { 'x-forwarded-host': 'tenant-1.localhost' } })).json().total
    t.equal(await through(behind), 2)
    t.equal(await through(await testSite(t, database, { TRUST_PROXY: '10.0.0.1' })), 1)
    const last = await behind.get('tenant-0.localhost', '/api/subtasks', { headers: { 'x-forwarded-host': 'evil.test, tenant-1.localhost' } })
    t.equal(last.json().total, 2, 'the last of several is the proxy\'s own')
    for (const host of ['evil.test', '', 'tenant-1.localhost@evil', 'tenant-1.localhost/x', 'tenant-1.localhost, evil.test']) {
      const { status } = await behind.get('tenant-0.localhost', '/api/subtasks', { headers: { 'x-forwarded-host': host } })
      t.equal(status, host === '' ? 200 : 421, `what it says is read as strictly: ${host}`)
    }
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
