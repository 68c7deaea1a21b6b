// PostgreSQL behind TLS: answers the client's SSLRequest, and hands on what is inside. The key is for tests; it opens nothing.
import { readFile } from 'node:fs/promises'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Test } from 'tap'

export async function tlsProxy (t: Test, target: string): Promise<string> {
  const [key, cert] = await Promise.all(['key', 'certificate'].map(name => readFile(`test/support/tls/${name}.pem`)))
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    sockets.add(client.on('error', () => {}))
    client.once('data', () => { // the SSLRequest
      client.write('S')
      const secure = new TLSSocket(client, { isServer: true, key, cert })
      const upstream = connect(Number(port), hostname)
      sockets.add(upstream)
      secure.on('error', () => {}).on('close', () => upstream.destroy()).pipe(upstream)
      upstream.on('error', () => {}).on('close', () => secure.destroy()).pipe(secure)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>(resolve => server.close(() => resolve()))
  })
  const url = new URL(target)
  url.port = String((server.address() as AddressInfo).port)
  url.searchParams.set('sslmode', 'require')
  return url.href
}
