import { startTestServer } from './server.ts'

await startTestServer()
