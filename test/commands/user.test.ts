// The people of an account, from a terminal: made, let in again, listed, and let in no more.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import t from 'tap'
import * as commands from '../../src/commands/user.ts'
import { loadConfig } from '../../src/config.ts'
import { CommandError } from '../../src/errors.ts'
import { furnish } from '../support/accounts.ts'
import { cli, printedBy, run } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { testSite } from '../support/http.ts'
import { cookieOf, signInAs } from '../support/people.ts'

const host = 'tenant-0.localhost'
const account = ['--account', 'tenant-0']
const [ann, ben] = [{ email: 'ann@example.com', password: 'correct mule 🐴' }, { email: 'ben@example.com', password: 'another mule 🐴' }]

t.test('npm run user', async t => {
  const database = await testDatabase(t)
  const { admin } = database
  await furnish(t, database, 0, 0)
  const environment = { DATABASE_URL: database.appUrl, OWNER_DATABASE_URL: database.ownerUrl }
  const site = await testSite(t, database)
  await admin`delete from users`
  const user = (args: string[], input?: string) => run(t, ['user', ...args], environment, input)
  /** The same without a process of its own. */
  const config = loadConfig(environment, false)
  const here = async (command: typeof commands[keyof typeof commands], flags: object, input = '') => {
    const piped = t.intercept(process, 'stdin', { value: Readable.from([input]) })
    try {
      return await printedBy(t, () => command(config, new AbortController().signal, { account: 'tenant-0', ...flags } as never))
    } finally {
      piped.restore()
    }
  }
  const opens = async (cookie: string) => (await site.get(host, '/api/me', { headers: { cookie } })).status

  await t.test('the first owner of an account, who can sign in then, in this account only', async t => {
    t.same(await user(['create', ...account, '--email', 'Ann@Example.com', '--role', 'owner'], `${ann.password}\n`), { code: 0, out: 'ann@example.com can sign in now, as owner.\n', err: '' })
    t.equal((await signInAs(site, host, ann)).status, 303)
    t.equal((await signInAs(site, 'tenant-1.localhost', ann)).status, 401)
    await here(commands.create, { email: ben.email, role: 'viewer', firstName: 'Ben', lastName: 'Archer' }, ben.password)
    t.same(await admin`select account_id::int as account, email, first_name as first, last_name as last, role from users order by email`, [
      { account: 1, email: ann.email, first: 'ann', last: 'example.com', role: 'owner' }, { account: 1, email: ben.email, first: 'Ben', last: 'Archer', role: 'viewer' }
    ])
  })

  await t.test('a list of them', async t => {
    t.same(await user(['list', ...account]), { code: 0, out: 'ann@example.com   owner\nben@example.com   viewer\n', err: '' })
    t.equal(await here(commands.list, { account: 'tenant-1' }), '')
  })

  await t.test('another password ends the sessions and tokens of the old one', async t => {
    const mine = cookieOf(await signInAs(site, host, ann))
    const theirs = cookieOf(await signInAs(site, host, ben))
    const [{ id } = { id: '' }] = await admin`select id from users where email = ${ben.email}`
    await admin`insert into api_tokens (account_id, id, user_id, name, token_hash, scope, expires_at)
      values (1, gen_random_uuid(), ${id}, 'of a test', 'x', 'read', now() + interval '1 day')`
    const { code, out, err } = await user(['reset-password', ...account, '--email', ben.email], 'a third mule 🐴')
    t.same([code, out, err], [0, 'ben@example.com has another password; all sessions and API tokens have ended.\n', ''])
    t.same([await opens(theirs), await opens(mine)], [401, 200], 'and nobody else\'s')
    t.same(await admin`select id from api_tokens`, [])
    t.equal((await signInAs(site, host, ben)).status, 401)
    t.equal((await signInAs(site, host, { ...ben, password: 'a third mule 🐴' })).status, 303)
  })

  await t.test('whoever is deactivated is out at once', async t => {
    const theirs = cookieOf(await signInAs(site, host, { ...ben, password: 'a third mule 🐴' }))
    t.equal(await opens(theirs), 200)
    t.match(await user(['deactivate', ...account, '--email', ben.email]), { code: 0, out: /^ben@example\.com cannot sign in any more/, err: '' })
    t.equal(await opens(theirs), 401)
    t.equal(await here(commands.list, {}), 'ann@example.com   owner\nben@example.com   viewer, inactive\n')
  })

  await t.test('the log says that it was a command, and no password', async t => {
    const log = await admin`select user_id, actor, action, coalesce(before::text, '') || coalesce(after::text, '') as text from audit_log where actor like '%command%' order by id`
    t.same(log.map(({ action }) => action), ['create', 'create', 'reset-password', 'end-sessions', 'revoke-tokens', 'update', 'end-sessions'])
    t.same(new Set(log.map(({ user_id: id, actor }) => `${id} ${actor}`)), new Set(['null the command user']))
    t.notMatch(JSON.stringify(log), /argon2|mule/)
  })

  await t.test('what cannot be done is said in one line, and nothing is changed', async t => {
    const state = async () => (await admin`select md5(string_agg(u::text, '' order by id)) as hash from users u`)[0]!.hash
    const before = await state()
    for (const [args, message] of [
      [['create', '--role', 'king'], /^error: option '--role <role>' argument 'king' is invalid\. Allowed choices are owner, .*\nTry --help\.\n$/],
      [['create'], /^error: required option '--role <role>' not specified\nTry --help\.\n$/],
      [['create', '--role', 'owner', '--password', 'x'], /^error: unknown option '--password'\nTry --help\.\n$/],
      [['reset-password'], /^A password has 8 to 128 characters\.\n$/]
    ] as const) t.match(await user([...args, ...account, '--email', ann.email], 'short'), { code: 1, out: '', err: message }, args.join(' '))
    const { create, reset, list, deactivate } = commands
    const member = { email: 'new@example.com', role: 'member' }
    for (const [command, flags, input, message] of [
      [list, { account: 'tenant-9' }, '', /^There is no account of this name\..*$/],
      [list, { account: 'x.y/z' }, '', /^There is no account of this name\..*$/],
      [create, { ...member, email: ann.email }, ann.password, /^Somebody with this e-mail address is in this account already\.$/],
      [create, { ...member, email: 'nobody' }, ann.password, /^--email must be an e-mail address.*$/],
      [create, { ...member, firstName: 'two\nlines' }, ann.password, /^--first-name must be one line.*$/],
      [create, member, '', /^A password has 8 to 128 characters\.$/],
      [create, member, 'password1\n', /^This is one of the passwords that are tried first\..*$/],
      [create, member, 'two lines\nof text\n', /^A password is one line\.$/],
      [reset, { email: 'nobody@example.com' }, ann.password, /^Nobody in this account has this e-mail address\..*$/],
      [deactivate, { account: 'tenant-1', email: ann.email }, '', /^Nobody in this account has this e-mail address\..*$/],
      [deactivate, { email: ann.email }, '', /^This is the last active owner of the account\..*$/]
    ] as const) {
      const error = await here(command, flags, input).then(() => undefined, error => error)
      t.type(error, CommandError, message.source)
      t.match(error.message, message)
    }
    t.equal(await state(), before)
  })

  await t.test('at a terminal it is asked for twice, and not shown', async t => {
    const command = [process.execPath, cli, 'user', 'create', ...account, '--email', 'cy@example.com', '--role', 'member'].map(word => `'${word}'`).join(' ')
    const typed = async (...answers: string[]) => {
      const terminal = process.platform === 'darwin' ? ['-q', '/dev/null', 'sh', '-c', command] : ['-qec', command, '/dev/null']
      const child = spawn('script', terminal, { env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'test', ...environment } })
      let shown = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        shown += text
        if (/(New password|Once more): $/.test(shown)) child.stdin.write(answers.shift() ?? '')
      })
      const [code] = await once(child, 'close')
      return { code, shown }
    }
    const different = await typed('correct mule\r', 'another mule\r')
    t.match(different, { code: 1, shown: /These are two different passwords\. Nothing was changed\.\s*$/ })
    t.match(await typed('\x03'), { code: 1, shown: /Stopped\. Nothing was changed\.\s*$/ }, 'Ctrl-C')
    const { code, shown } = await typed('correct mule\r', 'correct mule\r')
    t.match({ code, shown }, { code: 0, shown: /cy@example\.com can sign in now, as member\.\s*$/ })
    t.notMatch(shown + different.shown, /mule/)
    t.equal((await signInAs(site, host, { email: 'cy@example.com', password: 'correct mule' })).status, 303)
  })
})
