import { createHmac } from 'node:crypto'
import type postgres from 'postgres'
import t from 'tap'
import { migrateDatabase } from '../../src/db/migrate.ts'
import { contexts, sign } from '../../src/tenancy/context.ts'
import { A, B, connect, testDatabase } from '../support/database.ts'
import { plant } from '../support/rows.ts'
import { signing } from '../support/server.ts'

t.test('unsigned, the context is the account', async t => {
  t.equal(contexts(undefined)(A), '1')
})

t.test('signed, it is the account, an expiry a minute away, and their HMAC', async t => {
  const now = Math.floor(Date.now() / 1000)
  const context = contexts(signing)(B)
  const [account, expiry, mac] = context.split('.')
  t.equal(account, '2')
  t.ok(Number(expiry) >= now + 30 && Number(expiry) <= now + 61)
  t.equal(mac, createHmac('sha256', signing.current).update(`2.${expiry}`).digest('hex'))
})

t.test('the database agrees on what a valid signature is, under either key, whatever its length', async t => {
  const database = await testDatabase(t, 'signed')
  await plant(database.admin, A, B)
  const app = connect(t, database.appUrl)
  const sees = seeing(app)
  t.same(await sees(sign(A, signing.current)), [A])
  t.same(await sees(sign(B, signing.previous)), [B])
  t.equal(await sees(sign(A, 'a key that the database does not know')), '42501')
  t.equal(await sees(sign(A, signing.current, Math.floor(Date.now() / 1000) - 1)), '42501', 'expired')
  for (const garbage of ['1', '1.', '1..', '1.2.3', 'x.y.z', sign(A, signing.current) + '0', sign(A, signing.current).replace('1.', '1 .'), '..', "1'; select 1"]) {
    t.equal(await sees(garbage), '42501', JSON.stringify(garbage))
  }
  t.equal(await sees(''), '42501', 'enter takes no empty context')
  await t.rejects(app`select * from tenancy.signing_keys`, { code: '42501' }, 'the keys are the owner\'s')
  await t.rejects(app`select tenancy.signing_pads()`, { code: '42501' }, 'and so is the way to them')
})

t.test('a connection that has taken a key takes it no longer when it has been replaced', async t => {
  const database = await testDatabase(t, 'signed')
  await plant(database.admin, A)
  const sees = seeing(connect(t, database.appUrl))
  const both = async () => [await sees(sign(A, signing.current)), await sees(sign(A, next))]
  t.same(await both(), [[A], '42501'])
  await migrateDatabase(database.ownerUrl, { current: next, previous: signing.current })
  t.same(await both(), [[A], [A]])
  await migrateDatabase(database.ownerUrl, { current: next })
  t.same(await both(), ['42501', [A]])
})

t.test('nor does one that first asks for the keys in a snapshot from before', async t => {
  const database = await testDatabase(t, 'signed')
  await plant(database.admin, A)
  const app = connect(t, database.appUrl)
  await app.unsafe('begin isolation level repeatable read')
  await app.unsafe('select from accounts limit 0')
  await migrateDatabase(database.ownerUrl, { current: next })
  await app.unsafe('select tenancy.enter($1)', [sign(A, signing.current)])
  await t.rejects(app`select account_id from accounts`, { code: '40001', message: /keys are being changed/ })
  await app.unsafe('rollback')
  const sees = seeing(app)
  t.same([await sees(sign(A, signing.current)), await sees(sign(A, next))], ['42501', [A]])
})

const next = 'abcdefghijklmnopqrstuvwxyz-test-next'

/** Which accounts a connection sees with a context, or the SQLSTATE of the refusal. */
const seeing = (app: postgres.Sql) => async (context: string) => {
  await app.unsafe('begin')
  try {
    await app.unsafe('select tenancy.enter($1)', [context])
    return (await app`select account_id from accounts`).map(row => Number(row.account_id))
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await app.unsafe('rollback')
  }
}
