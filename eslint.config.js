import neostandard from 'neostandard'

const doors = {
  group: ['postgres', 'drizzle-orm/postgres-js', 'drizzle-orm/pg-core', '**/tenancy/slot.ts', '**/tenancy/pool.ts', '**/tenancy/transaction.ts', '**/db/*', '!**/db/schema.ts'],
  message: 'Routes and views reach the database through request.tenant only.'
}

export default [
  ...neostandard({ ts: true, ignores: ['dist', 'coverage', '.tap', '.data'] }),
  { files: ['assets/*.js'], languageOptions: { globals: { document: false, history: false, location: false, navigator: false, DOMParser: false } } },
  { rules: { '@stylistic/max-len': ['error', { code: 150, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true }] } },
  {
    // No raw handle, no SQL text, no query of one's own: what a route can import cannot leave its tenant.
    files: ['src/routes/**', 'src/views/**', 'src/people/**', 'src/work/**', 'src/app.ts'],
    rules: {
      'no-restricted-syntax': ['error', { selector: 'ImportExpression', message: 'Import at the top, where it can be checked.' }],
      'no-restricted-imports': ['error', {
        patterns: [doors],
        paths: [{
          name: 'drizzle-orm',
          allowImportNames: [
            'and', 'asc', 'between', 'desc', 'eq', 'gt', 'gte', 'ilike', 'inArray', 'isNotNull', 'isNull', 'like', 'lt', 'lte', 'ne', 'not', 'or', 'placeholder'
          ],
          message: 'Routes use drizzle\'s operators; SQL text and builders stay in src/tenancy and src/db.'
        }]
      }]
    }
  },
  {
    // The environment has one reader.
    files: ['src/**'],
    ignores: ['src/config.ts'],
    rules: { 'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Read it in src/config.ts.' }] }
  }
]
