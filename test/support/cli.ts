// Commands as a user runs them: processes of their own, with an environment of their own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { foreignCanaries } from './canary.ts'
import { Leak } from './leaks.ts'

export interface Run { code: number | null, out: string, err: string }

export interface Running {
  readonly child: ChildProcess
  /** Resolves to all it has printed once that matches. */
  printed (pattern: RegExp): Promise<string>
  readonly ended: Promise<Run>
}

export const cli = 'dist/src/cli.js'

/**
 * Nothing of the caller's settings reaches the command but what makes programs run.
 * @param input what is piped to it; unless given, its standard input is empty
 */
export function start (t: Test, args: string[], environment: Record<string, string> = {}, program = cli, input?: string): Running {
  // `env -u`: tap would have the command load its own signal handlers, which hide what ours do
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, program, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'test', ...environment }, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
  })
  child.stdin?.on('error', () => {}).end(input) // it may have ended before it read that
  let out = ''
  let err = ''
  child.stdout!.setEncoding('utf8').on('data', chunk => { out += chunk })
  child.stderr!.setEncoding('utf8').on('data', chunk => { err += chunk })
  const ended = once(child, 'close').then(([code]) => {
    mustBeDiscreet(out + err)
    return { code: code as number | null, out, err }
  })
  t.teardown(async () => {
    if (child.exitCode === null) child.kill('SIGINT')
    await ended
  })
  return {
    child,
    ended,
    async printed (pattern) {
      for (const end = Date.now() + 60_000; !pattern.test(out); await new Promise(resolve => setTimeout(resolve, 20))) {
        if (child.exitCode !== null || Date.now() > end) throw new Error(`It never printed ${pattern}. It printed:\n${out}\n${err}`)
      }
      return out
    }
  }
}

export const run = (t: Test, args: string[], environment?: Record<string, string>, input?: string) => start(t, args, environment, cli, input).ended

/** What `work`, a command's own function, prints in this process; it throws what a process would print as an error. */
export async function printedBy (t: Test, work: () => Promise<unknown>): Promise<string> {
  const printed = t.capture(console, 'log')
  try { await work() } finally { printed.restore() }
  const text = printed().map(({ args }) => `${args.join(' ')}\n`).join('')
  mustBeDiscreet(text)
  return text
}

/** What a command prints is for whoever runs it, who is no account's. @throws {Leak} */
export function mustBeDiscreet (printed: string): void {
  const [found] = foreignCanaries(printed)
  if (found !== undefined) throw new Leak(`A command printed ${found}: ${printed}`)
}
