const { loadConfig } = await import('../dist/config.js')
const { startServer } = await import('../dist/server.js')
const { listingSchema } = await import('../dist/routes/subtasks.js')
const fastify = (await import('fastify')).default
const config = loadConfig({ ...process.env, PORT: process.env.PORT_A })
const row = { id: '0196a0a0-0000-7000-8000-000000000000', account: 'Some company', project: 'A project of some length', task: 'The task to do', name: 'Calculate the neural bus', isComplete: true, details: 'If we calculate the program, we can get to the THX array through the virtual XSS microchip!' }
const constant = { page: 1, pages: 20, limit: 10, total: 200, more: false, next: 'x'.repeat(120), subtasks: Array.from({ length: 10 }, () => row) }
await startServer(config, process.env.DATABASE_URL, { level: 'error' }, { more: async app => {
  app.get('/z/open', { config: { open: true }, schema: { response: { 200: listingSchema } } }, async () => constant)
  app.get('/z/closed', { schema: { response: { 200: listingSchema } } }, async () => constant)
} })
process.env.PORT = process.env.PORT_B
if (process.env.BARE) {
  const app = fastify()
  app.get('/bare', { schema: { response: { 200: listingSchema } } }, async () => constant)
  await app.listen({ port: Number(process.env.PORT_B), host: '127.0.0.1' })
} else await import('./contenders/limit.ts')
process.on('message', m => { const c = process.cpuUsage(); process.send(c.user + c.system) })
process.send('ready')
