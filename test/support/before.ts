import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startTestServer } from './server.ts'

await promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '--build', 'tsconfig.build.json'])
await startTestServer()
