// Whose turn it is at the pool, and how many callers it lets wait.
import t from 'tap'
import { SlotPool } from '../../src/tenancy/pool.ts'
import { plant } from '../support/rows.ts'
import { A, B, testDatabase } from '../support/database.ts'

t.test('accounts take turns, however much one of them asks for', async t => {
  const database = (await testDatabase(t)).direct
  await plant(database.admin, A, B)
  const pool = new SlotPool(database.appUrl, 1, 1)
  t.teardown(() => pool.close(1_000))
  const served: string[] = []
  const first = await pool.acquire('first')
  const asked = [...Array<string>(20).fill('hog'), 'one', 'two', 'one'].map(async holder => {
    const slot = await pool.acquire(holder)
    served.push(holder)
    await slot.send('select 1', [], 'objects')
    pool.release(slot)
  })
  pool.release(first)
  await Promise.all(asked)
  t.same(served.slice(0, 5), ['hog', 'one', 'two', 'hog', 'one'])
  t.same(served.slice(5), Array(18).fill('hog'))
})

t.test('who is refused because too many wait is made to wait a little, the more so the more there are', async t => {
  const database = (await testDatabase(t)).direct
  const pool = new SlotPool(database.appUrl, 1, 1)
  t.teardown(() => pool.close(1_000))
  const held = await pool.acquire('hog')
  const waiting = Array.from({ length: 100 }, () => pool.acquire('hog').catch(error => error.code))
  const told: number[] = []
  const refusedAfter = async (_: unknown, n: number) => {
    const started = performance.now()
    await t.rejects(pool.acquire('hog'), { code: 'pool_busy', statusCode: 503 })
    told.push(n)
    return performance.now() - started
  }
  const alone = await refusedAfter('alone', -1)
  const crowd = await Promise.all(Array.from({ length: 300 }, refusedAfter))
  t.ok(Math.max(...crowd) > 200 && Math.max(...crowd) < 1_900, `${Math.max(...crowd).toFixed(0)} ms in a crowd, ${alone.toFixed(0)} alone`)
  t.same([told.at(1), told.at(-1)], [0, 299], 'who comes first is told first')
  const other = pool.acquire('other') // has a queue of its own
  pool.release(held)
  pool.release(await waiting[0] as never)
  const slot = await other
  t.ok(slot)
  pool.release(slot)
  t.same((await Promise.all(waiting.slice(1))).filter(code => code !== 'pool_busy').length, 1, 'the next of the queue has it')
})
