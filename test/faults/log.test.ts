// F38: nobody reads the log. Requests are served all the same, and the lines that did not fit are counted.
import t from 'tap'
import { logLines, serverProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

t.test('F38: a log that nobody reads stops nothing', async t => {
  const { client, running: { child, ended, printed } } = await serverProcess(t, { LOG_LEVEL: 'info' })
  let asked = 0
  const ask = async (requests: number) => {
    const statuses: Record<number, number> = {}
    asked += requests
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (const { call } = client(); requests-- > 0;) {
        const { status } = await call('GET', '/nothing/here')
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    }))
    return statuses
  }
  t.same(await ask(100), { 404: 100 })

  child.stdout!.pause()
  t.same(await ask(2_500), { 404: 2_500 }, 'served until there is no more room')
  const [full, more] = [asked, 1_000]
  t.same(await ask(more), { 404: more }, 'and when there is none')

  child.stdout!.resume()
  await printed(/"log_lines_lost"/)
  t.same(await ask(100), { 404: 100 })
  const told = async () => {
    const lines = logLines(await printed(/It listens/))
    const kept = lines.filter(({ msg }) => msg === 'request completed' || msg === 'incoming request').length
    return { kept, lost: lines.filter(({ event }) => event === 'log_lines_lost').map(line => line.lines as number) }
  }
  t.ok(await until(async () => {
    const { kept, lost } = await told()
    return kept + lost[0]! === 2 * asked
  }, 10_000), 'how many were lost, to the line')
  const { lost } = await told()
  t.equal(lost.length, 1, 'it says once')
  t.ok(lost[0]! >= 2 * more, `${lost[0]} lines were lost: once there was no more room, after ${full} requests, none was kept`)

  child.stdout!.pause()
  t.same(await ask(600), { 404: 600 })
  const from = Date.now()
  const exited = new Promise<number>(resolve => child.on('exit', () => resolve(Date.now() - from)))
  child.kill('SIGTERM')
  t.ok(await exited < 8_000, 'also the end does not wait for a reader for long')
  child.stdout!.resume()
  t.equal((await ended).code, 0)
})
