import type { Command } from 'commander'
import type { FastifyServerOptions } from 'fastify'
import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { testHosts } from '../db/test-hosts.ts'
import { slugOf } from '../testdata.ts'
import { closeOnSignal, startServer } from '../server.ts'
import { createTestData } from './createtestdata.ts'

type Run = (work: (config: Config, signal: AbortSignal) => Promise<void>) => Promise<void>

export function addStart (program: Command, run: Run): void {
  program.command('start')
    .description('Serve. Uses DATABASE_URL, or the embedded server.')
    .action(() => run(async (config, signal) => {
      const database = await openDatabase(config)
      const { port } = await serve(config, database, logger(config, config.logLevel ?? 'info'), signal)
      console.log(`Listening on http://${config.baseDomain}:${port}/`)
    }))
}

export function addDemo (program: Command, run: Run): void {
  program.command('demo')
    .description('Serve five accounts full of data, on the embedded server or DATABASE_URL; creates what is missing.')
    .action(() => run(async (config, signal) => {
      const database = await openDatabase(config)
      let accounts: number[]
      try {
        accounts = await demoAccounts(config, database, signal)
      } catch (error) {
        await database.release()
        throw error
      }
      const { port } = await serve(config, database, logger(config, config.logLevel ?? 'warn'), signal)
      console.log(welcome(config, database, accounts, port))
    }))
}

/** Listens until a signal comes; then answers what was asked, and lets go of the database. */
async function serve (config: Config, database: Database, logger: FastifyServerOptions['logger'], signal: AbortSignal) {
  const server = await startServer(config, database.appUrl, logger).catch(async error => {
    await database.release()
    throw error
  })
  closeOnSignal(signal, async () => {
    await server.close()
    await database.release()
  }, error => server.app.log.fatal(error, 'nobody caught this error'))
  return server
}

function logger ({ production }: Config, level: string): FastifyServerOptions['logger'] {
  return {
    level,
    redact: ['req.headers.cookie', 'req.headers.authorization', 'res.headers["set-cookie"]'],
    ...(!production && process.stdout.isTTY && { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } } })
  }
}

async function demoAccounts (config: Config, database: Database, signal: AbortSignal): Promise<number[]> {
  const hosts = await testHosts(database.ownerUrl, config.baseDomain)
  try {
    if ((await hosts.list()).length === 0) {
      await createTestData(config, database, {
        accounts: 5,
        amounts: { users: { min: 1, max: 5 }, projects: { min: 1, max: 30 }, tasks: { min: 1, max: 10 }, subtasks: { min: 1, max: 10 } },
        seed: 0,
        append: false,
        reset: false,
        rollback: false,
        quiet: true
      }, signal)
    }
    return await hosts.list()
  } finally {
    await hosts.close()
  }
}

function welcome ({ baseDomain }: Config, { appUrl, ownerUrl, adminUrl }: Database, accounts: number[], port: number): string {
  const url = (host: string, path = '/') => `http://${host}${port === 80 ? '' : `:${port}`}${path}`
  const hostOf = (number: number) => `${slugOf(number)}.${baseDomain}`
  const shown = accounts.slice(0, 5)
  const more = accounts.length > shown.length ? [`  ... up to ${hostOf(accounts.at(-1)!)}`] : []
  return ['',
    'Rowhouse is ready. Open an account in a browser:',
    ...shown.map(number => `  ${url(hostOf(number))}`), ...more, '',
    'Try next:',
    `  curl -s '${url(hostOf(shown[0] ?? 0), '/api/subtasks?page=2&limit=5')}'`,
    `  ${url(hostOf(shown[0] ?? 0), '/api/docs')}   the API, to read and try`,
    '  npm run createtestdata -- --accounts 200 --append   (in another terminal)', '',
    'The database, for psql:',
    `  app role   ${appUrl}   sees nothing until: begin; select tenancy.enter('1');`,
    `  owner      ${ownerUrl}`,
    ...(adminUrl ? [`  superuser  ${adminUrl}   sees everything: row-level security does not bind it`] : []), '',
    'Ctrl-C stops everything.', ''
  ].join('\n')
}
