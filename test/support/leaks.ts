// Watches all that a server of the tests says. A reply with another account's canary fails the request, and with it the test that made
// it; so does a line of the log with anybody's, or with a secret.
import type { IncomingHttpHeaders } from 'node:http'
import { foreignCanaries } from './canary.ts'
import type { TestDatabase } from './database.ts'
import { signing } from './server.ts'

export class Leak extends Error {
  override readonly name = 'Leak'
}

export type LeakWatch = ReturnType<typeof watchLeaks>

/** @param forwarded whether the server believes our X-Forwarded-Host */
export function watchLeaks ({ admin, appUrl }: Pick<TestDatabase, 'admin' | 'appUrl'>, forwarded: boolean) {
  const secrets = new Set([new URL(appUrl).password, signing.current, signing.previous])
  const inLog: string[] = []
  const errors: string[] = []
  const accounts = new Map<string, string>() // by host

  function readLine (line: string): void {
    if (/^\{"level":[56]0,/.test(line)) errors.push(line)
    const found = foreignCanaries(line)[0] ?? [...secrets].find(secret => line.includes(secret)) ?? /(rowhouse_|invitations\/)[\w-]{43}/.exec(line)?.[0]
    if (found !== undefined) inLog.push(`The log says ${found}: ${line}`)
  }

  /** @throws {Leak} if the log has said what it must not */
  function checkLog (): void {
    const [first] = inLog.splice(0)
    if (first !== undefined) throw new Leak(first)
  }

  /** Takes note of what a client knows and no log may tell. */
  function expect (headers: IncomingHttpHeaders): void {
    for (const name of ['cookie', 'authorization', 'set-cookie', 'idempotency-key'] as const) {
      for (const secret of String(headers[name] ?? '').match(/[^\s;=,]{8,}/g) ?? []) secrets.add(secret)
    }
  }

  /**
   * @param hosts that were asked; the reply may speak of their accounts, and of no other
   * @param text the whole reply: status line, headers, body
   * @throws {Leak}
   */
  async function checkReply (hosts: (string | undefined)[], text: string): Promise<void> {
    checkLog()
    if (!text.includes('cnry_')) return
    const names = hosts.map(host => host?.trim().toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '') ?? '')
    const foreign = () => foreignCanaries(text).find(found => !names.some(name => accounts.get(name) === found.split('_')[1]))
    if (foreign() === undefined) return // at once: to ask each time would change what a test of timing sees
    for (const { host, account } of await admin`select host, account_id as account from directory`) accounts.set(host, account)
    const found = foreign()
    if (found !== undefined) throw new Leak(`The reply to ${names.join(' and ')} says ${found}: ${text}`)
  }

  return {
    logger: { level: 'trace', stream: { write: readLine } },
    /** What the log says at the levels error and fatal. */
    errors,
    expect,
    checkLog,
    checkReply,
    /** Whom a request of these headers asks. */
    hostOf: (host: string, headers: Record<string, string>) => (forwarded && headers['x-forwarded-host']?.split(',').at(-1)) || host
  }
}

/** The hosts of requests written by hand; of one that names none or several, nothing. */
export function hostsIn (requests: string): (string | undefined)[] {
  return requests.split('\r\n\r\n').map(head => {
    const named = [...head.matchAll(/^host:[ \t]*(\S*)/gim)].map(match => match[1])
    return named.length === 1 ? named[0] : undefined
  })
}
