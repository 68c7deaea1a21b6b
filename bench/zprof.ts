import { startProgram } from './program.ts'
import { environment, openScene } from './scene.ts'
import { load } from './load.ts'
import { json } from './contenders.ts'
import { numbers } from './measure.ts'
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
const which = process.argv[2]!
const scene = await openScene(2000, console.error)
for (const name of which.split(',')) {
  const dir = `/tmp/prof/${name}`
  rmSync(dir, { recursive: true, force: true }); mkdirSync(dir, { recursive: true })
  const prof = ['--cpu-prof', `--cpu-prof-dir=${dir}`, '--cpu-prof-interval=250']
  const program = name === 'rowhouse'
    ? await startProgram([...prof, 'dist/cli.js', 'start'], environment(scene.main), '/readyz', 'localhost')
    : await startProgram([...prof, '--import', 'tsx', `bench/contenders/${name}.ts`], { ...process.env, NODE_ENV: 'production', BENCH_URL: name === 'no-walls' ? scene.main.adminUrl : scene.main.appUrl }, json)
  await load({ port: program.port, path: json, accounts: numbers(2000), connections: 20, seconds: 8 })
  const answered = await load({ port: program.port, path: json, accounts: numbers(2000), connections: 20, seconds: 8 })
  console.log(name, answered.rate)
  await program.stop()
}
await scene.close()
