// Rowhouse with one route more, whose query keeps the database busy for a tenth of a second.
import { loadConfig } from '../../src/config.ts'
import { subtasks } from '../../src/db/schema.ts'
import { startServer } from '../../src/server.ts'
import { Slot } from '../../src/tenancy/slot.ts'

const slowly = 'slowly'
const { send } = Slot.prototype
Slot.prototype.send = function (text, values, way) {
  if (values.includes(slowly)) send.call(this, 'select pg_sleep(0.1)', [], 'objects').catch(() => {}) // in the same transaction, before it
  return send.call(this, text, values, way)
}

const config = loadConfig()
const { close } = await startServer(config, config.databaseUrl!, { level: 'error' }, {
  more: async app => { app.get('/slow', async ({ tenant }) => ({ found: await tenant.exists(subtasks, { name: slowly }) })) }
})
process.once('SIGTERM', () => close().then(() => process.exit()))
