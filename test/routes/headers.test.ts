// What browsers are told to keep from doing, on every kind of reply.
import t from 'tap'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'

const host = 'tenant-0.localhost'
const always = {
  'content-security-policy': /^default-src 'none';.*\bframe-ancestors 'none'/,
  'cross-origin-resource-policy': 'same-origin',
  'strict-transport-security': /max-age=31536000/,
  'x-content-type-options': 'nosniff'
}

t.test('no reply can be framed, embedded by another site, or taken for something else', async t => {
  const database = await testDatabase(t)
  const site = await testSite(t, database)

  for (const path of ['/sign-in', '/subtasks/', '/nowhere', '/%', '/api/docs/', '/healthz', '/assets/icon.svg']) {
    const { headers } = await site.get(host, path)
    t.match(headers, { ...always, 'x-frame-options': 'DENY', 'referrer-policy': 'same-origin', 'cross-origin-opener-policy': 'same-origin' }, path)
    t.notMatch(headers['content-security-policy'], /unsafe|\*|https?:/, `${path}: nothing from elsewhere, or that stands in the page`)
  }
  for (const path of ['/api/subtasks', '/api/nowhere', '/api/openapi.json', '/api/%']) {
    const { headers } = await site.get(host, path)
    t.match(headers, { ...always, 'content-security-policy': "default-src 'none';frame-ancestors 'none'" }, path)
    t.notOk(headers['referrer-policy'], `${path}: nothing that is about pages alone`)
  }
})
