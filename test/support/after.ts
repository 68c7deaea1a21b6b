import { stopTestServer } from './server.ts'

await stopTestServer()
