// The JSON API as a client uses it.
import type { Reply, Site } from './http.ts'

/** Calls of one account's API, by a path under /api. */
export function apiOf (site: Site, host: string, always: Record<string, string> = {}) {
  return (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> => site.get(host, `/api${path}`, {
    method,
    headers: { ...always, ...body !== undefined && { 'content-type': 'application/json' }, ...headers },
    ...body !== undefined && { payload: JSON.stringify(body) }
  })
}
