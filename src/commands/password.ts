// Where a command gets a password from. Never from its arguments, which every user of the machine can read.
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { Writable } from 'node:stream'
import { whyNotPassword } from '../auth/passwords.ts'
import { CommandError } from '../errors.ts'

/**
 * Typed twice and not shown, at a terminal; else all of standard input, but for the end of its line.
 * @param email whose password it is to be
 * @throws {CommandError} if it may not be a password
 */
export async function newPassword (email: string, signal: AbortSignal): Promise<string> {
  const mustBeOne = (password: string) => {
    const why = /[\r\n]/.test(password) ? 'A password is one line.' : whyNotPassword(password, email)
    if (why !== undefined) throw new CommandError(why)
    return password
  }
  if (!process.stdin.isTTY) return mustBeOne((await text(process.stdin)).replace(/\r?\n$/, ''))
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0, signal }) // no echo from here on
  try {
    const answers = lines[Symbol.asyncIterator]()
    const password = mustBeOne(await ask('New password: ', answers))
    if (await ask('Once more: ', answers) !== password) throw new CommandError('These are two different passwords. Nothing was changed.')
    return password
  } finally {
    lines.close()
  }
}

async function ask (question: string, answers: AsyncIterator<string>): Promise<string> {
  process.stderr.write(question)
  const { done, value } = await answers.next()
  process.stderr.write('\n')
  if (done) throw new CommandError('Stopped. Nothing was changed.') // Ctrl-C, Ctrl-D
  return value
}
