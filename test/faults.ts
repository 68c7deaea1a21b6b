// npm run faults: the restarts of test/faults/refusals.test.ts again and again, with more workers (F3, F4).
import { Command } from 'commander'
import { testSite } from './support/http.ts'
import { restartUnderLoad, room } from './support/load.ts'
import { natural } from './support/options.ts'
import { ownServer } from './support/own-server.ts'
import { asProgram } from './support/program.ts'

const program = new Command('faults').showHelpAfterError('Try --help.')
  .description('Restart a PostgreSQL of its own under HTTP load, fast and immediate.\n' +
    'Fails on a reply that is neither good nor 503, a gap over the restart time + 1 s, an acknowledged row lost, a refused row kept.')
  .option('--restarts <n>', 'how many of each mode', natural(6), 3)
  .option('--workers <n>', 'requests at once', natural(6), 30)
  .option('--seconds <n>', 'of calm load before and after each', natural(6), 2)
const { restarts, workers, seconds } = program.parse().opts<Record<'restarts' | 'workers' | 'seconds', number>>()

await asProgram(async owner => {
  const server = await ownServer(owner)
  const site = await testSite(owner, server.database, { POOL_MAX: '10' })
  console.log(`${restarts} restarts of each mode, ${workers} workers`)
  let good = true
  for (let n = 0; n < restarts; n++) {
    for (const mode of ['fast', 'immediate'] as const) {
      const { restart, ready, longestGap, statuses, wrong, acknowledged, lost, kept } =
        await restartUnderLoad(server, site, mode, { workers, calm: seconds * 1000 })
      const counts = Object.entries(statuses).sort().map(([status, count]) => `${count} x ${status}`).join(', ')
      console.log(`\n${mode}: restart ${restart} ms, longest gap ${longestGap} ms, /readyz ${ready.join(' ')}`)
      console.log(`  ${counts}`)
      console.log(`  ${acknowledged} rows acknowledged, ${lost.length} of them lost; ${kept.length} refused rows kept; ${wrong.length} wrong replies`)
      for (const reply of wrong.slice(0, 3)) console.log('  Wrong:', reply)
      good &&= longestGap <= restart + room && ready.join() === '200,503,200' && lost.length + kept.length + wrong.length === 0
    }
  }
  return good
})
