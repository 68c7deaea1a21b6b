// Which part of us does a request mean? Worked out from the Host header alone, before any database connection is taken.
import { AppError } from '../errors.ts'

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const reserved = new Set(['www', 'api', 'admin', 'app', 'mail'])

/** The bare domain, or a host on which an account may live (in lower case, without port or trailing dot). */
export type Host = { readonly kind: 'bare' } | { readonly kind: 'account', readonly host: string }

/**
 * @param header the Host header as it came, with or without a port
 * @throws {AppError} host_not_served if it is malformed or not under our domain; account_not_found if no account can live there
 */
export function parseHost (header: string, baseDomain: string): Host {
  const [, written, port] = /^([A-Za-z0-9._-]{1,253}?)\.?(?::(\d{1,5}))?$/.exec(header) ?? []
  const elsewhere = () => new AppError('host_not_served', { message: `This server serves ${baseDomain} and the accounts below it, not that host name.` })
  if (written === undefined || Number(port ?? 0) > 65535) throw elsewhere()
  const host = written.toLowerCase()
  if (host === baseDomain) return { kind: 'bare' }
  if (!host.endsWith(`.${baseDomain}`)) throw elsewhere()
  const name = host.slice(0, -baseDomain.length - 1)
  if (!label.test(name) || reserved.has(name)) throw new AppError('account_not_found')
  return { kind: 'account', host }
}
