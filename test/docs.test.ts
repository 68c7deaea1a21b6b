// README, env.example and --help tell the truth.
import { execFile } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { environment, loadConfig } from '../src/config.ts'

const read = (path: string) => readFile(path, 'utf8')
const variables = Object.keys(environment.properties).toSorted()

t.test('env.example has every variable with one comment line, and no other; its values are allowed and are the defaults', async t => {
  const blocks = (await read('env.example')).split('\n\n').slice(1).join('\n').trim().split('\n')
  const named: string[] = []
  for (let i = 0; i < blocks.length; i += 2) {
    t.match(blocks[i], /^# \S/, blocks[i]!)
    t.match(blocks[i + 1], /^[A-Z_]+=/, blocks[i + 1]!)
    named.push(blocks[i + 1]!.split('=')[0]!)
  }
  t.same(named.toSorted(), variables)
  const values = Object.fromEntries(blocks.filter(line => !line.startsWith('#')).map(line => line.split(/=(.*)/).slice(0, 2) as [string, string]))
  t.same(loadConfig(values, false), loadConfig({}, false))
})

t.test('the README names every variable and every script, and nothing that is not there', async t => {
  const readme = await read('README.md')
  const { scripts } = JSON.parse(await read('package.json'))
  const configuration = readme.split('## Configuration')[1]!.split('\n## ')[0]!
  t.same([...new Set([...configuration.matchAll(/`([A-Z]+_?[A-Z_]*)`/g)].map(match => match[1]))].toSorted(), variables)
  const run = [...new Set([...readme.matchAll(/npm (?:run )?(demo|dev|start|test|build|lint|createtestdata|user|doctor|prove|bench|fuzz|storm|faults|db:\w+)/g)].map(match => match[1]))]
  t.same(run.toSorted(), Object.keys(scripts).filter(name => !name.startsWith('pre')).toSorted())
  for (const [, path] of readme.matchAll(/`((?:src|test|drizzle|tenancy|routes|views|db)\/[\w./-]+\.\w+)`/g)) {
    await t.resolves(access(path!).catch(() => access(`src/${path}`)), path!)
  }
})

t.test('every flag of createtestdata has its line of help, and its default', async t => {
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/src/cli.js', 'createtestdata', '--help'])
  const defaults = {
    accounts: 1, 'min-users': 1, 'max-users': 5, 'min-projects': 1, 'max-projects': 30, 'min-tasks': 1, 'max-tasks': 10, 'min-subtasks': 1, 'max-subtasks': 10, seed: 0
  }
  for (const [flag, value] of Object.entries(defaults)) t.match(stdout.replace(/\s+/g, ' '), new RegExp(`--${flag} <n> [^(]*(\\([^)]*\\))?[^(]*\\(default: ${value}\\)`), flag)
  for (const flag of ['append', 'reset', 'rollback', 'quiet', 'help']) t.match(stdout, `--${flag}`)
})
