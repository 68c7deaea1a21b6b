// npm run fuzz: random transactions of many accounts against a model, as test/isolation/fuzz.test.ts does for a few seconds.
import { Command, Option } from 'commander'
import { type WayName, fuzzWay, ways } from './fuzz/ways.ts'
import { natural } from './support/options.ts'
import { onTestServer } from './support/program.ts'

interface Flags { transactions: number, tenants: number, seed: number, only?: WayName }

const program = new Command('fuzz').showHelpAfterError('Try --help.')
  .description('Run random transactions of many accounts against an in-memory model, each wall alone and both.\n' +
    'Fails if anything of another account is seen or changed, or anything differs from the model.')
  .option('--transactions <n>', 'transactions, at least, for each way', natural(9), 50_000)
  .option('--tenants <n>', 'accounts', natural(9), 20)
  .option('--seed <n>', 'repeats a run (of as many transactions)', natural(9), Date.now() % 1e9)
  .addOption(new Option('--only <way>', Object.entries(ways).map(([name, { what }]) => `${name}: ${what}`).join('; ')).choices(Object.keys(ways)))
const { only, ...options } = program.parse().opts<Flags>()

console.log(`Seed ${options.seed}. ${options.tenants} accounts, ${options.transactions} transactions each way.`)
await onTestServer(async owner => {
  const clean = []
  for (const name of only ? [only] : Object.keys(ways) as WayName[]) clean.push(await run(name))
  return clean.every(each => each)

  async function run (name: WayName): Promise<boolean> {
    console.log(`\n${name}: ${ways[name].what}`)
    const started = performance.now()
    let shown = started
    const { problems, counterexample, ...counts } = await fuzzWay(owner, name, {
      ...options,
      shrinkFor: 60_000,
      onBatch ({ transactions }) {
        if (performance.now() - shown < 10_000) return
        shown = performance.now()
        console.log(`  ${transactions} transactions so far`)
      }
    })
    const seconds = (performance.now() - started) / 1000
    console.log(`  ${Object.entries(counts).map(([what, n]) => `${n} ${what}`).join(', ')}; ${seconds.toFixed(1)} s`)
    const enough = counts.refused >= options.transactions / 5 // of 50,000: 10,000
    if (!enough) console.log('  Too few foreign writes were tried for this to mean much.')
    for (const problem of problems.slice(0, 10)) console.log(`  ${problem}`)
    if (counterexample) {
      console.log(`  Repeat it: npm run fuzz -- --only ${name} --seed ${counterexample.seed} --tenants ${options.tenants} --transactions ${options.transactions}`)
      console.log(`  The smallest batch that fails: ${JSON.stringify(counterexample.transactions)}`)
    }
    return enough && counts.leaks + counts.differences === 0
  }
})
