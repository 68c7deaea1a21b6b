// F38: nobody reads the log. Requests are served all the same, and the lines that did not fit are counted.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { serverProcess } from '../support/process.ts'

t.test('F38: a log that nobody reads stops nothing', async t => {
  const { client, running: { child, ended } } = await serverProcess(t, { LOG_LEVEL: 'info' })
  const pid = child.pid! // env has become node
  const megabytes = async () => Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
  const ask = async (requests: number) => {
    const statuses: Record<number, number> = {}
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (const { call } = client(); requests-- > 0;) {
        const { status } = await call('GET', '/nothing/here')
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    }))
    return statuses
  }
  t.same(await ask(200), { 404: 200 })

  child.stdout!.pause()
  t.same(await ask(6_000), { 404: 6_000 }, 'served with a full pipe')
  const full = await megabytes()
  t.same(await ask(6_000), { 404: 6_000 })
  const grown = await megabytes() - full
  t.ok(grown < 60, `${grown.toFixed(1)} MiB more`)

  child.stdout!.resume()
  t.same(await ask(100), { 404: 100 })
  child.kill('SIGTERM')
  const { code, out } = await ended
  t.equal(code, 0)
  const lines = out.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line))
  const lost = lines.filter(line => line.event === 'log_lines_lost').map(line => line.lines as number)
  t.equal(lost.length, 1, 'it says once')
  const completed = lines.filter(line => line.msg === 'request completed').length
  const incoming = lines.filter(line => line.msg === 'incoming request').length
  t.equal(completed + incoming + lost[0]!, 2 * 12_300, 'how many were lost, to the line')
})

t.test('F38: also the end does not wait for a reader for long', async t => {
  const { client, running: { child, ended } } = await serverProcess(t, { LOG_LEVEL: 'info' })
  child.stdout!.pause()
  const { call } = client()
  for (let i = 0; i < 1_500; i++) await call('GET', '/nothing/here')
  const from = Date.now()
  const exited = new Promise<number>(resolve => child.on('exit', () => resolve(Date.now() - from)))
  child.kill('SIGTERM')
  t.ok(await exited < 8_000)
  child.stdout!.resume()
  t.equal((await ended).code, 0)
})
