// Keys and indexes: what PostgreSQL enforces without asking row-level security, and what would run beside our statements.
import { type Check, migrate, tenantTablesOf } from './check.ts'

export const keys: readonly Check[] = [
  {
    id: 'D12',
    severity: 'high',
    title: 'Unique keys begin with account_id',
    mend: 'Put account_id first: else one account learns of another\'s values, and takes them away from it.',
    find: (facts, expected) => tenantTablesOf(facts, expected).flatMap(({ name, account, indexes }) =>
      indexes.filter(({ unique, columns }) => unique && columns[0] !== account?.number).map(index => `The unique index ${index.name} of ${name} does not begin with account_id.`))
  },
  {
    id: 'D13',
    severity: 'critical',
    title: 'Foreign keys between tenant tables carry account_id',
    mend: 'Make the key composite, with belongsTo(): PostgreSQL checks foreign keys without row-level security.',
    find: (facts, expected) => {
      const tenanted = tenantTablesOf(facts, expected)
      return tenanted.flatMap(({ name, account, foreignKeys }) => foreignKeys.flatMap(({ name: key, to, columns }) => {
        const parent = tenanted.find(table => table.name === to)
        const carried = columns.some(([ours, theirs]) => ours === account?.number && theirs === parent?.account?.number)
        return parent && !carried ? [`The foreign key ${key} of ${name} to ${to} lacks account_id, so a row may refer to another account's.`] : []
      }))
    }
  },
  {
    id: 'D31',
    severity: 'medium',
    title: 'Every table with tenants\' rows has an index that begins with account_id',
    mend: 'CREATE INDEX on (account_id, ...).',
    find: (facts, expected) => tenantTablesOf(facts, expected)
      .filter(({ account, indexes }) => !indexes.some(({ whole, columns }) => whole && columns[0] === account?.number))
      .map(({ name }) => `${name} has no index that begins with account_id: every account pays for the rows of all.`)
  },
  {
    id: 'D32',
    severity: 'medium',
    title: 'No publication sends tenants\' rows elsewhere',
    mend: 'ALTER PUBLICATION ... DROP TABLE, or see that whoever subscribes may have every account\'s rows.',
    find: ({ published }, { tables }) => published.filter(({ table }) => tables.includes(table)).map(({ table, publication }) => `The publication ${publication} sends all rows of ${table}.`)
  },
  {
    id: 'D33',
    severity: 'medium',
    title: 'No trigger runs beside our statements',
    mend: 'Drop it, or see what it writes, and as whom.',
    find: (facts, expected) => tenantTablesOf(facts, expected).flatMap(({ name, triggers }) => triggers.map(trigger => `${name} has the trigger ${trigger}.`))
  },
  {
    id: 'D34',
    severity: 'medium',
    title: 'No rule rewrites our statements',
    mend: 'Drop it.',
    find: (facts, expected) => tenantTablesOf(facts, expected).flatMap(({ name, rules }) => rules.map(rule => `${name} has the rule ${rule}.`))
  },
  {
    id: 'D41',
    severity: 'critical',
    title: 'The database\'s migrations are this program\'s',
    mend: migrate,
    find: ({ walls }, { migrations, version }) => migrations.includes(version.migration) && walls === `walls ${version.walls}` ? [] : ['The database\'s migrations are behind this program.']
  },
  {
    id: 'D42',
    severity: 'high',
    title: 'Every foreign key is enforced, and no row is an orphan or another account\'s child',
    mend: 'ALTER TABLE ... VALIDATE CONSTRAINT, after looking at the rows that it refuses; ENABLE TRIGGER ALL.',
    find: (facts, expected) => tenantTablesOf(facts, expected).flatMap(({ name, foreignKeys }) =>
      foreignKeys.filter(key => !key.enforced).map(key => `The foreign key ${key.name} of ${name} is not enforced for every row.`))
  }
]
