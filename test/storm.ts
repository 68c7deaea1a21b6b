// npm run storm: the load of test/tenancy/storm.test.ts for longer, calm first, then with half of the backends killed all the time (F2).
import { Command } from 'commander'
import { testDatabase, testTenancy } from './support/database.ts'
import { natural } from './support/options.ts'
import { onTestServer } from './support/program.ts'
import { type Killing, type StormReport, storm } from './support/storm.ts'

const wanted = 0.6 // of the calm throughput

const program = new Command('storm').showHelpAfterError('Try --help.')
  .description('Load the database through the helpers, first calm, then while backends are killed.\n' +
    'Fails on a leak, a half-kept transaction, a lie about one, an uncaught error, a call that hangs, or less than 60 % of the calm throughput.')
  .option('--seconds <n>', 'how long, calm and in the storm each', natural(6), 30)
  .option('--workers <n>', 'transactions at once', natural(6), 30)
  .option('--connections <n>', 'connections at most', natural(6), 10)
  .option('--accounts <n>', 'accounts', natural(6), 8)
const { seconds, workers, connections, accounts } = program.parse().opts<Record<'seconds' | 'workers' | 'connections' | 'accounts', number>>()

await onTestServer(async (owner, uncaught) => {
  console.log(`${seconds} s, ${connections} connections, ${workers} workers, ${accounts} accounts`)
  const calm = await weather('Calm')
  const stormy = await weather('Storm: half of the backends killed every 0.4 s', { every: 400, chance: 0.5 })
  const ratio = stormy.ok / calm.ok
  console.log(`\nIn the storm, ${(ratio * 100).toFixed(0)} % of the calm throughput (wanted: at least ${wanted * 100} %); ${uncaught.length} uncaught`)
  return ratio >= wanted && [calm, stormy].every(({ foreign, half, lies, hung }) => foreign + half + lies + hung === 0)

  async function weather (name: string, kill?: Killing): Promise<StormReport> {
    const database = await testDatabase(owner)
    const tenancy = testTenancy(owner, database, { poolMax: connections })
    const report = await storm(database, tenancy, { seconds, workers, accounts, kill })
    const { ok, failed, killed, foreign, half, lies, hung } = report
    const failures = Object.entries(failed).map(([code, n]) => `, ${n} ${code}`).join('')
    console.log(`\n${name}: ${Math.round(ok / seconds)} transactions/s`)
    console.log(`  ${ok} ok${failures}; ${killed} backends killed`)
    console.log(`  ${foreign} leaks, ${half} half-kept, ${lies} lies, ${hung} hung`)
    return report
  }
})
