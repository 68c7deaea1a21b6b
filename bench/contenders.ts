// Who is compared: each a process that serves the listing from the same rows.
import { type Place, type Scene, environment } from './scene.ts'
import { type Program, startProgram } from './program.ts'

export interface Contender {
  readonly name: string
  readonly what: string
  readonly path: string
  /** Contenders of the same program share its process. */
  readonly program: string
  start (scene: Scene): Promise<Program>
}

export const json = '/api/subtasks'
export const page = '/subtasks/'

/** @param program another than the built one */
export const rowhouse = (place: Place, env: NodeJS.ProcessEnv = {}, program?: string): Promise<Program> =>
  startProgram(program ? [program] : ['dist/src/cli.js', 'start'], { ...environment(place), ...env }, '/readyz', 'localhost')

/** @param url the database, as the role that is to ask */
const byHand = (name: string, url: string): Promise<Program> =>
  startProgram([`dist/bench/contenders/${name}.js`], { ...process.env, NODE_ENV: 'production', BENCH_URL: url }, json)

export const contenders: readonly Contender[] = [
  { name: 'hello', what: 'the same bytes from memory', program: 'hello', path: json, start: ({ main }) => byHand('hello', main.adminUrl) },
  { name: 'no walls', what: 'SQL by hand; no transaction, no tenant, no row-level security', program: 'no-walls', path: json, start: ({ main }) => byHand('no-walls', main.adminUrl) },
  { name: 'limit', what: 'SQL by hand, on Rowhouse\'s slots; both walls, one flush', program: 'limit', path: json, start: ({ main }) => byHand('limit', main.appUrl) },
  { name: 'rowhouse', what: 'Rowhouse, JSON', program: 'rowhouse', path: json, start: ({ main }) => rowhouse(main) },
  { name: 'rowhouse page', what: 'Rowhouse, the HTML page', program: 'rowhouse', path: page, start: ({ main }) => rowhouse(main) },
  { name: 'rowhouse signed', what: 'Rowhouse, JSON, with TENANT_SIGNING=on', program: 'rowhouse signed', path: json, start: ({ signed }) => rowhouse(signed) },
  { name: 'documented', what: 'drizzle as documented: a transaction, the tenant, the page, the count', program: 'documented', path: json, start: ({ main }) => byHand('documented', main.appUrl) }
]
