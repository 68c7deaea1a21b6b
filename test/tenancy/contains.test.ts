// Search by a part of a name: what a person types is text, whatever signs are in it, in capitals or not.
import { array, assert, asyncProperty, constantFrom, nat } from 'fast-check'
import t from 'tap'
import { projects } from '../../src/db/schema.ts'
import { lists } from '../../src/tenancy/lists.ts'
import { contains } from '../../src/tenancy/query.ts'
import { A, B, testDatabase, testTenancy } from '../support/database.ts'

const byName = lists({
  from: projects,
  columns: { id: projects.id, name: projects.name },
  filters: { q: value => contains(projects.name, value) },
  sorts: { name: [projects.name, projects.id] }
})

t.test('search by a part of a name', async t => {
  const database = await testDatabase(t)
  const tenancy = testTenancy(t, database)
  for (const account of [A, B]) await database.admin`insert into accounts (account_id, slug, name) values (${account}, ${`a${account}`}, 'x')`
  const search = async (q: string, limit = 100) =>
    (await tenancy.withTenant(A, tenant => tenant.page(byName.list({ q }), { limit }, { q }), 'read only')).rows.map(({ name }) => name)
  const keep = (account: typeof A, names: string[]) => tenancy.withTenant(account, async tenant => {
    await tenant.delete(projects, {})
    await tenant.insertMany(projects, names.map(name => ({ name })))
  })

  t.test('of any case, in any script, at any place', async t => {
    await keep(A, ['Paint the Fence', 'Über die Brücke', 'ΟΔΟΣ', '日本語の本', 'Straße', 'two\nlines'])
    await keep(B, ['Paint the other fence'])
    for (const [q, found] of Object.entries({
      fence: ['Paint the Fence'],
      'PAINT THE': ['Paint the Fence'],
      e: ['Paint the Fence', 'Straße', 'two\nlines', 'Über die Brücke'],
      über: ['Über die Brücke'],
      BRÜCK: ['Über die Brücke'],
      'b die br': [],
      'ber die': ['Über die Brücke'],
      οδοσ: ['ΟΔΟΣ'],
      ΔΟ: ['ΟΔΟΣ'],
      本語: ['日本語の本'],
      SSE: [],
      aße: ['Straße'],
      '\n': ['two\nlines'],
      'o\nL': ['two\nlines'],
      'paint fence': [],
      other: []
    })) t.same((await search(q)).toSorted(), found.toSorted(), JSON.stringify(q))
    t.equal((await search('')).length, 6, 'nothing is in everything')
  })

  t.test('signs that mean something to PostgreSQL', async t => {
    const signs = ['%', '_', '\\', '\\%', '%_', '*', '.', '.*', '^', '$', '\'', '"', '|', '(', ')', '[a', '***=', '\\\\', '$1', '--', ';', '&', '!', ':*']
    await keep(A, [...signs.map(sign => `a${sign}b`), 'ab', 'axb', 'axyb'])
    for (const sign of signs) t.same((await search(`A${sign}B`)), [`a${sign}b`], sign)
    t.same((await search('%')).toSorted(), signs.filter(sign => sign.includes('%')).map(sign => `a${sign}b`).toSorted())
  })

  t.test('any part of any name is found, and what is found has it', async () => {
    const letter = constantFrom(...'aAbBkKsS%_\\ .*[(äÄßéÉσΣяЯ本ñあ🙂\u0301\'"')
    const name = array(letter, { minLength: 1, maxLength: 20 }).map(letters => letters.join(''))
    await assert(asyncProperty(array(name, { minLength: 2, maxLength: 8 }), nat(), nat(), nat(), async (names, which, start, length) => {
      await keep(A, names)
      const letters = [...names[which % names.length]!]
      const from = start % letters.length
      const q = letters.slice(from, from + 1 + length % 5).join('')
      const found = await search(q)
      const literally = names.filter(name => name.includes(q))
      for (const name of literally) if (!found.includes(name)) throw new Error(`${JSON.stringify(q)} is not found in ${JSON.stringify(name)}`)
      const folded = (text: string) => text.toLowerCase().replaceAll('ς', 'σ') // as PostgreSQL does it, letter by letter
      for (const name of found) if (!folded(name).includes(folded(q))) throw new Error(`${JSON.stringify(q)} is found in ${JSON.stringify(name)}`)
    }), { numRuns: 150 })
  })
})
