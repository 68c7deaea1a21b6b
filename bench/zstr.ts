import { startProgram, bodyOf } from './program.ts'
import { environment, openScene } from './scene.ts'
import { load } from './load.ts'
import { json } from './contenders.ts'
import { numbers } from './measure.ts'
import { execFile, spawn } from 'node:child_process'
const scene = await openScene(2000, console.error)
for (const name of ['limit','rowhouse']) {
  const program = name === 'rowhouse'
    ? await startProgram(['dist/cli.js', 'start'], environment(scene.main), '/readyz', 'localhost')
    : await startProgram(['--import', 'tsx', `bench/contenders/${name}.ts`], { ...process.env, NODE_ENV: 'production', BENCH_URL: scene.main.appUrl }, json)
  await load({ port: program.port, path: json, accounts: numbers(2000), connections: 20, seconds: 4 })
  const s = spawn('strace', ['-f', '-T', '-s', '700', '-e', 'trace=write,writev', '-o', `/tmp/str.${name}`, '-p', String(program.pid)])
  await new Promise(r => setTimeout(r, 500))
  const answered = await load({ port: program.port, path: json, accounts: numbers(2000), connections: 20, seconds: 1 })
  s.kill('SIGINT')
  console.log(name, answered.rate)
  await program.stop()
}
await scene.close()
