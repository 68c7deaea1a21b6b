import { createHmac } from 'node:crypto'
import t from 'tap'
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
  const sees = async (context: string) => {
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
  t.same(await sees(sign(A, signing.current)), [A])
  t.same(await sees(sign(B, signing.previous)), [B])
  t.equal(await sees(sign(A, 'a key that the database does not know')), '42501')
  t.equal(await sees(sign(A, signing.current, Math.floor(Date.now() / 1000) - 1)), '42501', 'expired')
  for (const garbage of ['1', '1.', '1..', '1.2.3', 'x.y.z', sign(A, signing.current) + '0', sign(A, signing.current).replace('1.', '1 .'), '..', "1'; select 1"]) {
    t.equal(await sees(garbage), '42501', JSON.stringify(garbage))
  }
  t.equal(await sees(''), '42501', 'enter takes no empty context')
  t.rejects(app`select * from tenancy.signing_keys`, { code: '42501' }, 'the keys are the owner\'s')
})
