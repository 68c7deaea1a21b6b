// one server process with both, load from a child, alternating
import { openScene, environment } from './scene.ts'
import { load } from './load.ts'
import { fork } from 'node:child_process'
import { numbers, median } from './measure.ts'
import { freePort } from '../test/support/free-port.ts'
const [,, slices = '15', seconds = '1', pathA = '/api/subtasks', pathB = '/api/subtasks'] = process.argv
const scene = await openScene(2000, console.error)
const [a, b] = [await freePort(), await freePort()]
const child = fork(process.env.SERVER ?? '/work/wt/perf/bench/zabs.mjs', { env: { ...environment(scene.main), BENCH_URL: scene.main.appUrl, PORT: String(a), PORT_A: String(a), PORT_B: String(b) }, execArgv: ['--import', 'tsx'] })
const cpu = () => new Promise<number>(resolve => { child.once('message', m => resolve(m as number)); child.send('cpu') })
await new Promise(resolve => child.once('message', resolve))
const run = async (port: number, s: number) => {
  const path = port === a ? pathA : pathB
  const before = await cpu()
  const answered = await load({ port, path, accounts: numbers(2000), connections: 20, seconds: s })
  const used = await cpu() - before
  const n = answered.rate * s
  if (Object.keys(answered.statuses).join() !== '200') throw new Error(JSON.stringify(answered.statuses))
  return used / n / 1000
}
for (const port of [a, b, a, b]) await run(port, 6)
const us: number[] = [], them: number[] = []
for (let i = 0; i < +slices; i++) { us.push(await run(a, +seconds)); them.push(await run(b, +seconds)) }
const f = (x: number[]) => `min ${Math.min(...x).toFixed(3)} median ${median(x).toFixed(3)}`
console.log('rowhouse', f(us), 'limit', f(them), 'ratio of minima', (Math.min(...us) / Math.min(...them)).toFixed(2), 'medians', (median(us) / median(them)).toFixed(2))
child.kill()
await scene.close()
