// Round trips, test data, the start, and several processes.
import { spawn } from 'node:child_process'
import { createTenancy } from '../src/tenancy/tenancy.ts'
import { accountId } from '../src/tenancy/account.ts'
import { projects } from '../src/db/schema.ts'
import { testProxy } from '../test/support/proxy.ts'
import { json, rowhouse } from './contenders.ts'
import { load } from './load.ts'
import { type Figure, type Options, alternate, median, numbers, ratio, spread } from './measure.ts'
import { bodyOf, memoryOf } from './program.ts'
import { type Place, type Scene, environment } from './scene.ts'

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** How often a signed-in request for the listing waits for the database, and how often a transaction that writes one row; seen on the wire. */
export async function roundTrips ({ main }: Scene): Promise<Figure[]> {
  const duties: (() => unknown)[] = []
  const proxy = await testProxy({ teardown: duty => duties.push(duty) }, main.appUrl, { delay: 5 })
  const through = proxy.url(main.appUrl)
  const program = await rowhouse({ ...main, appUrl: through })
  const tenancy = createTenancy({ url: through, poolMax: 2 })
  const write = { name: 'no such project' }
  const tries = {
    read: () => bodyOf(program.port, json, 'tenant-0.localhost'),
    write: () => tenancy.withTenant(accountId(1), async tenant => { await tenant.update(projects, write, { details: '' }) })
  }
  try {
    const figures: Figure[] = []
    for (const [what, attempt, wanted] of [['read', tries.read, 1], ['write', tries.write, 2]] as const) {
      const counted = []
      for (let i = 0; i < 5; i++) { // the first prepares, and the directory may be refreshed beside any of them
        proxy.turns = 0
        await attempt()
        counted.push(proxy.turns)
        await pause(100)
      }
      figures.push({ what: `round trips that a ${what} waits for`, value: Math.min(...counted), unit: '', wanted: { atMost: wanted }, from: 'counted on the wire' })
    }
    return figures
  } finally {
    await tenancy.close()
    await program.stop()
    for (const duty of duties.reverse()) await duty()
  }
}

/** A new database filled, through the app role and row-level security. */
export async function testData (scene: Scene, { accounts, say }: Options): Promise<Figure[]> {
  const fill = async (count: number) => {
    say(`createtestdata --accounts ${count}`)
    return createTestData(await scene.empty(), count)
  }
  const few = await fill(accounts / 10)
  const many = await fill(accounts)
  const memory: Figure[] = few.megabytes === undefined || many.megabytes === undefined
    ? []
    : [{ what: `createtestdata --accounts ${accounts}: memory at the most`, value: many.megabytes, unit: 'MB', wanted: { atMost: 300 }, from: `${few.megabytes.toFixed(0)} MB for a tenth of them` }]
  return [
    { what: `createtestdata --accounts ${accounts}: rows a second`, value: many.rate, unit: '', wanted: { atLeast: 25_000 }, from: many.said },
    ...memory
  ]
}

async function createTestData (place: Place, count: number): Promise<{ rate: number, said: string, megabytes: number | undefined }> {
  const child = spawn(process.execPath, ['dist/src/cli.js', 'createtestdata', '--accounts', String(count)], { env: environment(place), stdio: ['ignore', 'pipe', 'inherit'] })
  let megabytes: number | undefined
  const watch = setInterval(async () => { megabytes = (await memoryOf(child.pid!))?.most ?? megabytes }, 200)
  let output = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) output += chunk
  clearInterval(watch)
  const said = output.trim().split('\n').at(-1)!
  const [, rows, , rate] = /^(\d+) rows in ([\d.]+) s, (\d+) a second/.exec(said) ?? []
  if (rows === undefined) throw new Error(`createtestdata failed: ${output}`)
  return { rate: Number(rate), said, megabytes }
}

/** How soon it answers, what it holds while nobody asks, and whether two processes serve more than one. */
export async function processes (scene: Scene, { rounds, seconds, accounts, say }: Options): Promise<Figure[]> {
  say('The start, and several processes')
  const ready: number[] = []
  const idle: number[] = []
  for (let i = 0; i < rounds; i++) {
    const program = await rowhouse(scene.main)
    ready.push(program.readyAfter)
    await pause(2_000)
    idle.push((await memoryOf(program.pid))?.now ?? NaN)
    await program.stop()
  }
  const programs = { one: await rowhouse(scene.main), two: await rowhouse(scene.main, { WEB_CONCURRENCY: '2' }) }
  type Name = keyof typeof programs
  try {
    const run = (name: Name) => load({ port: programs[name].port, path: json, accounts: numbers(accounts), connections: 20, seconds })
    for (const name of ['one', 'two'] as const) { await run(name); await run(name) }
    const measured = await alternate(rounds, ['one', 'two'] as Name[], run)
    const rate = ({ rate }: { rate: number }) => rate
    return [
      { what: 'ready after', value: median(ready) / 1000, unit: 's', wanted: { atMost: 1 }, from: `${spread(ready)} ms` },
      ...Number.isNaN(idle[0]) ? [] : [{ what: 'idle memory of a process', value: median(idle), unit: 'MB', wanted: { atMost: 120 }, from: spread(idle) }],
      {
        what: 'WEB_CONCURRENCY=2 against 1',
        value: ratio(measured.get('two')!, measured.get('one')!, rate),
        unit: 'x',
        wanted: { atLeast: 1 },
        from: `${spread(measured.get('two')!.map(rate))} and ${spread(measured.get('one')!.map(rate))} requests/s`
      }
    ]
  } finally {
    for (const program of Object.values(programs)) await program.stop()
  }
}
