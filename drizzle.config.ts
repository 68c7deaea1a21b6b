import { defineConfig } from 'drizzle-kit'
import { drizzleKit } from './src/config.ts'

const url = drizzleKit.url()

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/db/schema.ts',
  out: './drizzle',
  ...(url && { dbCredentials: { url } })
})
