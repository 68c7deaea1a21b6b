import { defineConfig } from 'drizzle-kit'
import { drizzleKitUrl } from './src/config.ts'

const url = drizzleKitUrl()

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/db/schema.ts',
  out: './drizzle',
  ...(url && { dbCredentials: { url } })
})
