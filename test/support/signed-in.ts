// Everybody is signed in: each account that has a host has an owner, too, whose session's secret follows from the host's name. So a test that
// is about something else need not sign in, and one that is about signing in sends cookies of its own.
import { createHash } from 'node:crypto'
import type postgres from 'postgres'
import { hashOf } from '../../src/auth/secrets.ts'

/** One session asks as much as a load test likes. */
export const noLimits = { RATE_LIMIT_SESSION: '0', RATE_LIMIT_ACCOUNT: '0' }

/** As long and as random as a real one. */
export const secretOf = (host: string): string => createHash('sha256').update(`the session of ${host}`).digest('base64url')

/** What a browser would send with a request to this host, over TLS or not. */
export function asSignedIn (host: string, method = 'GET'): Record<string, string> {
  const secret = secretOf(bare(host))
  return { cookie: `session=${secret}; __Host-session=${secret}`, ...method !== 'GET' && { 'sec-fetch-site': 'same-origin' } }
}

/** Without a port, as the directory has it. */
export const bare = (host: string): string => host.trim().toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')

/** Opens the sessions of all hosts, or has them last another day: the bench keeps its databases for longer. */
export async function signIn (admin: postgres.Sql): Promise<void> {
  const rows = await admin<{ host: string }[]>`select host from directory join accounts using (account_id)`
  const hosts = rows.map(({ host }) => host)
  const hashes = hosts.map(host => hashOf(secretOf(host)))
  await admin`
    insert into users (account_id, id, email, first_name, last_name, password_hash, role)
    select distinct on (account_id) account_id, gen_random_uuid(), 'owner@example.com', 'Olga', 'Owner', 'none', 'owner' from directory join accounts using (account_id)
    on conflict do nothing`
  await admin`
    insert into sessions (account_id, id, user_id, token_hash, expires_at, address, user_agent)
    select d.account_id, gen_random_uuid(), u.id, each.hash, now() + interval '1 day', '127.0.0.1', 'test'
      from unnest(${hosts}::text[], ${hashes}::text[]) each (host, hash)
      join directory d on d.host = each.host
      join users u on u.account_id = d.account_id and u.email = 'owner@example.com'
    on conflict (account_id, token_hash) do update set expires_at = excluded.expires_at, seen_at = now()`
}
