import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { builtServing } from './cli.ts'
import { startTestServer } from './server.ts'

await Promise.all([build(), buildServing(), startTestServer()])

/** Types are another command's business: `npm run typecheck`. */
async function build (): Promise<void> {
  await promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '--build', 'tsconfig.build.json', '--noCheck'])
}

/** It is of what was built, too, and its paths lead there: its folder is as deep as the source's. */
async function buildServing (): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile('test/support/serving.ts', 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
  })
  await mkdir(dirname(builtServing), { recursive: true })
  await writeFile(builtServing, outputText.replace(/'\.\.\/\.\.\/src\/(.+)\.ts'/g, "'../../dist/$1.js'"))
}
