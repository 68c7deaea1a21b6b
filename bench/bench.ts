// `npm run bench`: the contenders side by side, then what must be reached, as a table, bench/results.json and bench/chart.svg.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { CommandError } from '../src/errors.ts'
import { natural } from '../test/support/options.ts'
import { compare } from './compare.ts'
import { processes, roundTrips, testData } from './costs.ts'
import { type Figure, type Options, reached } from './measure.ts'
import { pgbench } from './pgbench.ts'
import { chart, contendersTable, table } from './report.ts'
import { type Scene, openScene } from './scene.ts'
import { amongOthers, fairShares, largeAccount, overload, signingIn } from './scale.ts'

const parts: Record<string, (scene: Scene, options: Options) => Promise<Figure[]>> = {
  trips: roundTrips, growth: amongOthers, large: largeAccount, shares: fairShares, signin: signingIn, overload, processes, testdata: testData
}

const program = new Command('bench').showHelpAfterError('Try --help.')
  .description('Compare Rowhouse with what could be in its place, on an embedded server of its own or that of DATABASE_URL (then with\n' +
    'OWNER_DATABASE_URL and ADMIN_DATABASE_URL: it makes databases rowhouse_bench_*). Exit code 1 if something wanted is not reached.')
  .option('--rounds <n>', 'how often each is measured, in turn; the contenders five times as often, and for half as long', natural(3), 5)
  .option('--seconds <n>', 'of load, each time', natural(3), 4)
  .option('--accounts <n>', 'in the database; at least 400', natural(6), 2_000)
  .option('--only <part...>', `compare, ${Object.keys(parts).join(', ')}; the results are then not written`)
const { only, ...flags } = program.parse().opts<Omit<Options, 'say'> & { only?: string[] }>()
const options: Options = { ...flags, say: text => console.error(text) }

try {
  const scene = await openScene(options.accounts, options.say)
  try {
    if (!await measure(scene)) process.exitCode = 1
  } finally {
    await scene.close()
  }
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

async function measure (scene: Scene): Promise<boolean> {
  const wanted = (name: string) => !only || only.includes(name)
  const first = wanted('compare') ? await compare(scene, options) : undefined
  const figures = [...first?.figures ?? []]
  for (const [name, part] of Object.entries(parts)) if (wanted(name)) figures.push(...await part(scene, options))
  const database = wanted('compare') ? await pgbench(scene, options) : undefined

  if (first) console.log(`${contendersTable(first.compared)}\n`)
  if (database) console.log(`pgbench, the same transaction, a second: ${Object.entries(database).map(([name, rate]) => `${name} ${rate.toFixed(0)}`).join(', ')}\n`)
  console.log(table(figures))
  if (first && !only) await write(scene, first.compared, figures, database)
  return figures.every(reached)
}

async function write ({ admin }: Scene, compared: Parameters<typeof chart>[0], figures: Figure[], database: unknown): Promise<void> {
  const [{ version } = {}] = await admin`select current_setting('server_version') as version`
  const commit = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD']).then(({ stdout }) => stdout.trim(), () => undefined)
  const machine = {
    cores: cpus().length,
    processor: cpus()[0]?.model,
    gigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    postgres: version
  }
  const { version: rowhouse } = JSON.parse(await readFile('package.json', 'utf8'))
  const date = new Date().toISOString().slice(0, 10)
  const judged = figures.map(each => ({ ...each, ...each.wanted && { reached: reached(each) } }))
  const result = { date, rowhouse, commit, machine, ...flags, contenders: compared, pgbench: database, figures: judged }
  await writeFile('bench/results.json', JSON.stringify(result, null, 2) + '\n')
  await writeFile('bench/chart.svg', chart(compared, `${options.accounts.toLocaleString('en')} accounts, ${machine.cores} cores for all, Node ${process.version.slice(1)}, ${date}`))
}
