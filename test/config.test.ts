import t from 'tap'
import { loadConfig } from '../src/config.ts'

const load = (environment: Record<string, string>) => loadConfig(environment, false)
const key = '0123456789abcdef0123456789abcdef'

t.test('defaults', async t => {
  t.match(load({}), {
    production: false, host: 'localhost', port: 3000, baseDomain: 'localhost', trustProxy: [], databaseUrl: undefined, poolMax: 10, signing: undefined
  })
  t.equal(load({ PORT: '', DATABASE_URL: '' }).port, 3000, 'empty is not set')
})

t.test('what is allowed', async t => {
  t.equal(load({ PORT: '0' }).port, 0)
  t.same(load({ TRUST_PROXY: '10.0.0.0/8,::1' }).trustProxy, ['10.0.0.0/8', '::1'])
  t.equal(load({ BASE_DOMAIN: 'a.example.com' }).baseDomain, 'a.example.com')
  for (const url of ['postgres://u:p@h/d', 'postgresql://u@[::1]:5432/d?sslmode=require', 'postgres://u:p%40%3A@h:1/d']) t.equal(load({ DATABASE_URL: url }).databaseUrl, url)
  t.same([{}, { PREPARED_STATEMENTS: 'on' }, { PREPARED_STATEMENTS: 'off' }].map(set => load(set as Record<string, string>).preparedStatements), [true, true, false])
  t.same(load({ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: key }).signing, { current: key, previous: undefined })
  t.same(load({ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: key, TENANT_SIGNING_KEY_PREVIOUS: `${key}x` }).signing, { current: key, previous: `${key}x` })
})

t.test('what is not, in one line that names the variable, what it was, and what is allowed', async t => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ PORT: 'abc' }, /^PORT is "abc", but must be a port number, 0 to 65535 .*\.$/],
    [{ PORT: '-1' }, /^PORT is -1, /],
    [{ PORT: '70000' }, /^PORT is 70000, /],
    [{ PORT: '3000.5' }, /^PORT is /],
    [{ NODE_ENV: 'prod' }, /^NODE_ENV is "prod", but must be development, production or test\.$/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL is "loud", /],
    ...['http://x', 'x:80', 'x.', 'X', '.x', ''.padEnd(200, 'a')].map(domain => [{ BASE_DOMAIN: domain }, /^BASE_DOMAIN is ".*", but must be a domain /] as [Record<string, string>, RegExp]),
    [{ TRUST_PROXY: 'true' }, /^TRUST_PROXY is "true", /],
    [{ POOL_MAX: '1' }, /^POOL_MAX is 1, /],
    [{ POOL_MAX: '1000000' }, /^POOL_MAX is /],
    ...['postgres://', 'mysql://u:p@h/d', 'h/d', 'postgres://u:p@h'].map(url => [{ DATABASE_URL: url }, /^DATABASE_URL is ".*", but must be a URL/] as [Record<string, string>, RegExp]),
    [{ OWNER_DATABASE_URL: 'postgres://u:p@h/d' }, /^DATABASE_URL is not set, but OWNER_DATABASE_URL is/],
    [{ PREPARED_STATEMENTS: 'no' }, /^PREPARED_STATEMENTS is "no", but must be on or off\.$/],
    [{ TENANT_SIGNING: 'yes' }, /^TENANT_SIGNING is "yes", but must be off or on\.$/],
    [{ TENANT_SIGNING: 'on' }, /^TENANT_SIGNING_KEY is not set, but must be at least 32 random characters.*openssl/],
    [{ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: 'short' }, /^TENANT_SIGNING_KEY is of 5 characters, /],
    [{ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: 'ab'.repeat(32) }, /^TENANT_SIGNING_KEY is too weak, /],
    [{ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: key, TENANT_SIGNING_KEY_PREVIOUS: 'a'.repeat(64) }, /^TENANT_SIGNING_KEY_PREVIOUS is too weak, /]
  ]
  for (const [environment, message] of cases) t.throws(() => load(environment), { name: 'Error', message }, JSON.stringify(environment))
})

t.test('secrets are not repeated', async t => {
  t.throws(() => load({ DATABASE_URL: 'mysql://u:secret@h/d' }), { message: /^(?!.*secret)/ })
  t.throws(() => load({ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: 'secret' }), { message: /^(?!.*secret,)/ })
})
