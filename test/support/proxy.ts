// A TCP proxy before PostgreSQL: it delays, counts round trips, keeps what the client said, and cuts where it is told to.
import { type Socket, type AddressInfo, connect, createServer } from 'node:net'
import type { Test } from 'tap'

export interface Proxy {
  /** The same URL, by way of the proxy. */
  url (url: string): string
  /** How often the client has spoken after the server had: the round trips it waited for, plus the first word. */
  turns: number
  /** What the client has said, as one text; parameters, statement names and all. */
  said: string
  /** Told what the client says, it may answer 'cut': then it is handed on, and both connections end; or 'reset': they end before that. */
  onSaid: ((text: string) => 'cut' | 'reset' | undefined) | undefined
  /** True: nothing is handed on any more, in either direction, until false again. */
  frozen: boolean
  connections: number
}

export async function testProxy (t: Test, target: string, { delay = 0 } = {}): Promise<Proxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    let last: 'client' | 'server' | undefined
    proxy.connections++
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true).on('error', () => {}).on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    const hand = (to: Socket, chunk: Buffer) => { if (!proxy.frozen) setTimeout(() => to.writable && to.write(chunk), delay) }
    client.on('data', chunk => {
      const text = chunk.toString('latin1')
      if (last !== 'client') proxy.turns++
      last = 'client'
      proxy.said += text
      const order = proxy.onSaid?.(text)
      if (order === 'reset') {
        client.resetAndDestroy()
        upstream.resetAndDestroy()
      } else if (order === 'cut') {
        upstream.write(chunk)
        upstream.removeAllListeners('data')
        setTimeout(() => client.destroy(), 50) // the server has it, and its answer is lost
      } else hand(upstream, chunk)
    })
    upstream.on('data', chunk => {
      last = 'server'
      hand(client, chunk)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>(resolve => server.close(() => resolve()))
  })
  const proxy: Proxy = {
    url: original => Object.assign(new URL(original), { port: String((server.address() as AddressInfo).port) }).href,
    turns: 0,
    said: '',
    onSaid: undefined,
    frozen: false,
    connections: 0
  }
  return proxy
}
