import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { withDatabaseName } from '../db/roles.ts'
import { CommandError } from '../errors.ts'
import { prove } from '../prove/prove.ts'
import { asJson, asText, exitCode } from '../prove/report.ts'

export default async function (config: Config, signal: AbortSignal, flags: { mutate: boolean, json: boolean }): Promise<number> {
  const database = await openDatabase(config)
  try {
    const proof = await prove({
      appUrl: database.appUrl,
      ownerUrl: config.databaseUrl ? config.ownerDatabaseUrl : database.ownerUrl,
      adminUrl: flags.mutate ? superuser(config, database) : undefined,
      signing: config.signing,
      signal
    })
    console.log(flags.json ? JSON.stringify(asJson(proof), null, 2) : asText(proof))
    return exitCode(proof)
  } finally {
    await database.release()
  }
}

function superuser ({ adminDatabaseUrl }: Config, { appUrl, adminUrl }: Database): string {
  if (adminUrl) return adminUrl
  if (!adminDatabaseUrl) throw new CommandError('ADMIN_DATABASE_URL is not set. --mutate takes a superuser: it alters the walls, in transactions that are rolled back.')
  return withDatabaseName(adminDatabaseUrl, decodeURIComponent(new URL(appUrl).pathname.slice(1)))
}
