import type { Config } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { migrateDatabase } from '../db/migrate.ts'

export default async function (config: Config): Promise<void> {
  const database = await openDatabase(config)
  try {
    await migrateDatabase(database.ownerUrl, config.signing)
    console.log('The database is up to date.')
  } finally {
    await database.release()
  }
}
