// The lint rules that keep routes away from the database do what they say.
import { ESLint } from 'eslint'
import t from 'tap'

const eslint = new ESLint()
const messages = async (code: string, filePath: string) => (await eslint.lintText(`${code}\n`, { filePath }))[0]!.messages.map(message => message.ruleId)

t.test('a route cannot get at a database handle or SQL text', async t => {
  for (const code of [
    "import postgres from 'postgres'\npostgres()",
    "import { drizzle } from 'drizzle-orm/postgres-js'\ndrizzle()",
    "import { QueryBuilder } from 'drizzle-orm/pg-core'\nQueryBuilder()",
    "import { sql } from 'drizzle-orm'\nsql()",
    "import * as all from 'drizzle-orm'\nall.sql()",
    "import { SlotPool } from '../tenancy/pool.ts'\nSlotPool()",
    "import { Transaction } from '../tenancy/transaction.ts'\nTransaction()",
    "import { openDatabase } from '../db/database.ts'\nopenDatabase()",
    "import { migrateDatabase } from '../db/migrate.ts'\nmigrateDatabase()"
  ]) {
    for (const file of ['src/routes/new.ts', 'src/views/new.ts']) t.same(await messages(code, file), ['no-restricted-imports'], code)
    t.same(await messages(code, 'src/tenancy/new.ts'), [], 'where it belongs it may be')
  }
  t.same(await messages("await import('postgres')", 'src/routes/new.ts'), ['no-restricted-syntax'])
})

t.test('what a route needs it may have', async t => {
  t.same(await messages("import { eq, placeholder } from 'drizzle-orm'\nimport { tasks } from '../db/schema.ts'\nimport { query } from '../tenancy/query.ts'\nquery(eq(tasks, placeholder))", 'src/routes/new.ts'), [])
})

t.test('the environment has one reader', async t => {
  t.same(await messages('process.env.X()', 'src/routes/new.ts'), ['no-restricted-properties'])
})
