import t from 'tap'
import { loadConfig } from '../src/config.ts'
import { CommandError } from '../src/errors.ts'

const load = (environment: Record<string, string>) => loadConfig(environment, false)
const key = '0123456789abcdef0123456789abcdef'

t.test('defaults', async t => {
  t.match(load({}), {
    production: false, host: 'localhost', port: 3000, baseDomain: 'localhost', trustProxy: [], databaseUrl: undefined, poolMax: 10, processes: 1, signing: undefined
  })
  t.equal(load({ PORT: '', DATABASE_URL: '' }).port, 3000, 'empty is not set')
})

t.test('a file .env sets what the environment does not', async t => {
  const before = process.cwd()
  const folders = t.testdir({
    there: { '.env': '# a comment\nPORT=4000\nHOST="::1" # another\nBASE_DOMAIN=\nLOG_LEVEL=warn\nOTHER=1\n' },
    wrong: { '.env': 'PORT=abc\n' },
    folder: { '.env': {} },
    empty: {}
  })
  const inside = (folder: string, environment: Record<string, string>, dotenv = true) => {
    process.chdir(`${folders}/${folder}`)
    try {
      return loadConfig(environment, dotenv)
    } finally {
      process.chdir(before)
    }
  }
  t.match(inside('there', { HOST: '127.0.0.1', LOG_LEVEL: '' }), { port: 4000, host: '127.0.0.1', baseDomain: 'localhost', logLevel: undefined })
  t.equal(inside('there', {}).host, '::1')
  t.equal(inside('there', {}, false).port, 3000)
  t.equal(inside('empty', {}).port, 3000, 'there need be none')
  t.throws(() => inside('wrong', {}), new CommandError('PORT is "abc", but must be a port number, 0 to 65535 (0: any free one).'))
  t.throws(() => inside('folder', {}), new CommandError('The file .env cannot be read (EISDIR).'))
})

t.test('what is allowed', async t => {
  for (const port of ['0', '1', '65535']) t.equal(load({ PORT: port }).port, Number(port), `D6 113 ${port}`)
  for (const list of ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '10.0.0.0/8,::1']) {
    t.same(load({ TRUST_PROXY: list }).trustProxy, list.split(','), `D6 117 ${list}`)
  }
  for (const domain of ['localhost', 'a.example.com', '1.example', `${'a'.repeat(63)}.example`]) t.equal(load({ BASE_DOMAIN: domain }).baseDomain, domain, `D6 114 ${domain}`)
  // A public suffix is no more dangerous than another domain: no cookie of ours is set for it. Browsers then even take the accounts for
  // different sites. A list of suffixes would be out of date one day, and refuse somebody's own.
  t.equal(load({ BASE_DOMAIN: 'co.uk' }).baseDomain, 'co.uk', 'D6 114 a public suffix')
  for (const url of [
    'postgres://u:p@h/d', 'postgresql://u@[::1]:5432/d?sslmode=require', 'postgres://u:p%40%3A%2f@h:1/d', 'postgres://%75:p@h/%64',
    ...['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'].map(mode => `postgres://u:p@h/d?sslmode=${mode}`)
  ]) t.equal(load({ DATABASE_URL: url }).databaseUrl, url, `D6 112 ${url}`)
  for (const max of ['2', '200']) t.equal(load({ POOL_MAX: max }).poolMax, Number(max), `D6 118 ${max}`)
  for (const n of ['1', '64']) t.equal(load({ WEB_CONCURRENCY: n, POOL_MAX: '128' }).processes, Number(n), `D6 118 ${n}`)
  t.same([{}, { PREPARED_STATEMENTS: 'on' }, { PREPARED_STATEMENTS: 'off' }].map(set => load(set as Record<string, string>).preparedStatements), [true, true, false])
  t.same(load({ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: key }).signing, { current: key, previous: undefined })
  t.same(load({ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: key, TENANT_SIGNING_KEY_PREVIOUS: `${key}x` }).signing, { current: key, previous: `${key}x` })
})

t.test('what is not, in one line that names the variable, what it was, and what is allowed', async t => {
  interface Case { number: number, environment: Record<string, string>, message: RegExp }
  const refused = (number: number, name: string, values: string[], message: RegExp): Case[] =>
    values.map(value => ({ number, environment: { [name]: value }, message }))
  const cases: Case[] = [
    ...['DATABASE_URL', 'ADMIN_DATABASE_URL'].flatMap(name => refused(112, name, [
      'postgres://', 'postgres:///d', 'postgres://u:p@h', 'postgres://u:p@h/', 'postgres://h/d', 'postgres://:p@h/d', 'mysql://u:p@h/d', 'http://u:p@h/d', 'POSTGRES://u:p@h/d',
      'h/d', 'u:p@h/d', 'x', 'postgres://u:p@h:abc/d', 'postgres://u:p@h:-1/d', 'postgres://u:p@h:99999/d', 'postgres://u:%zz@h/d', 'postgres://%zz:p@h/d', 'postgres://u:p@h/%zz',
      'postgres://u:p@[::1/d', 'postgres://u:p@::1/d', 'postgres://u:p@[x]/d', 'postgres://u:p@h h/d', 'postgres://u:p\n@h/d', 'postgres://u:p@h1:1,h2:2/d', 'postgres://u:p@h/d?sslmode=no', 'postgres://u:p@h/d?sslmode='
    ], new RegExp(`^${name} is ".*", but must be a URL, postgres://`))),
    { number: 112, environment: { OWNER_DATABASE_URL: 'postgres://u:p@h/d' }, message: /^DATABASE_URL is not set, but OWNER_DATABASE_URL is/ },
    ...refused(113, 'PORT', ['abc', '-1', '70000', '65536', '3000.5', '3000.0', '3000x', '0x10', '1e3', '+80', '080', ' ', ' 80', '80,81'], /^PORT is .*, but must be a port number, 0 to 65535 .*\.$/),
    ...refused(114, 'BASE_DOMAIN', [
      'http://x', 'x:80', 'x.', 'X', '.x', '-x', 'x-', 'a..b', 'a_b', 'x/y', '*.x', 'x y', 'm\u00fcnchen.example', ''.padEnd(200, 'a'), `${'a'.repeat(64)}.example`, '[::1]'
    ], /^BASE_DOMAIN is ".*", but must be a domain /),
    ...refused(115, 'TENANT_SIGNING_KEY', ['short', 'x'.repeat(31), `${'x'.repeat(40)} y`, `${'x'.repeat(40)}\n`], /^TENANT_SIGNING_KEY is of \d+ characters, but must be at least 32 random/),
    { number: 115, environment: { TENANT_SIGNING: 'on' }, message: /^TENANT_SIGNING_KEY is not set, but must be at least 32 random characters.*openssl/ },
    { number: 115, environment: { TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: 'ab'.repeat(32) }, message: /^TENANT_SIGNING_KEY is too weak, / },
    {
      number: 115,
      environment: { TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: key, TENANT_SIGNING_KEY_PREVIOUS: 'a'.repeat(64) },
      message: /^TENANT_SIGNING_KEY_PREVIOUS is too weak, /
    },
    ...refused(115, 'TENANT_SIGNING', ['yes', 'true', '1', 'ON'], /^TENANT_SIGNING is ".*", but must be off or on\.$/),
    ...refused(116, 'NODE_ENV', ['prod', 'Production', 'production ', 'staging'], /^NODE_ENV is ".*", but must be development, production or test\.$/),
    ...refused(117, 'TRUST_PROXY', [
      'true', '1', 'yes', '*', 'all', 'loopback', 'localhost', '0.0.0.0/0', '::/0', '10.0.0.1/0', '10.0.0.0/33', '::1/129', '999.1.1.1', '10.0.0', ':::', '10.0.0.1,', '10.0.0.1, 10.0.0.2', '10.0.0.1/8/8'
    ], /^TRUST_PROXY is ".*", but must be a list of proxy addresses/),
    ...refused(118, 'POOL_MAX', ['0', '1', '201', '1000000', '-1', '2.5', '1e1', ' ', 'x'], /^POOL_MAX is .*, but must be a number of connections, 2 to 200\.$/),
    ...refused(118, 'WEB_CONCURRENCY', ['0', '65', '-1', '1.5', '1e1', ' ', 'auto', '02'], /^WEB_CONCURRENCY is .*, but must be a number of processes, 1 to 64\.$/),
    {
      number: 118,
      environment: { POOL_MAX: '7', WEB_CONCURRENCY: '4' },
      message: /^POOL_MAX is "7", but must be at least 8 with WEB_CONCURRENCY=4: two connections for each process\.$/
    },
    ...refused(119, 'LOG_LEVEL', ['loud', 'INFO', '30', 'true'], /^LOG_LEVEL is ".*", but must be fatal, error, warn/),
    ...refused(113, 'HOST', ['http://x', 'a b', 'a/b', 'a;b'], /^HOST is ".*", but must be a name or address to listen on\.$/),
    ...refused(118, 'PREPARED_STATEMENTS', ['no', 'ON', '1'], /^PREPARED_STATEMENTS is ".*", but must be on or off\.$/)
  ]
  for (const { number, environment, message } of cases) {
    const name = `D6 ${number} ${JSON.stringify(environment).slice(0, 100)}`
    let said = ''
    try { load(environment) } catch (error) { said = error instanceof CommandError ? error.message : '' }
    t.match(said, message, name)
    t.equal(said.split('\n').length, 1, name)
  }
})

t.test('secrets are not repeated, wherever they stand', async t => {
  for (const url of [
    'mysql://u:sesame@h/d', 'postgres://u:sesame', 'postgres://u:ses/sesame@h/d', 'postgres://u:a:sesame@h', 'postgres://u:a@sesame@', 'postgres://u:sesame@h:x/d', 'u:sesame@h/d', 'sesame',
    'postgres://u:%zz@h/d?password=sesame', 'postgres://u:sesame@h/d?sslmode=x', 'postgres://u:a?sesame@h:x/d', 'postgres://u:a\nsesame@h/d'
  ]) t.throws(() => load({ DATABASE_URL: url }), { message: /^DATABASE_URL (?!.*sesame)/s }, url)
  t.throws(() => load({ TENANT_SIGNING: 'on', TENANT_SIGNING_KEY: 'sesame' }), { message: /^(?!.*sesame)/ })
})
