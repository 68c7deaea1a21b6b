import type postgres from 'postgres'

/** For postgres(url, { ... }): it cuts a URL's host at its colons, so of an IPv6 address it would keep the bracket. */
export function addressOf (url: string): postgres.Options<{}> {
  const { hostname, port } = new URL(url)
  if (!hostname.startsWith('[')) return {}
  return { host: [hostname.slice(1, -1)], port: [Number(port || 5432)] } as {} // lists it leaves alone, but its types do not know of them
}
