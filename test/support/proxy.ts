// A TCP proxy before PostgreSQL: it delays, counts round trips, keeps what the client said, and cuts where it is told to.
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import type { Owner } from './database.ts'

export interface Proxy {
  /** The same URL, by way of the proxy. */
  url (url: string): string
  /** How often the client has spoken after the server had: the round trips it waited for, plus the first word. */
  turns: number
  /** What the client has said, as one text; parameters, statement names and all. */
  said: string
  /** Told what the client says, it may answer 'cut': then it is handed on, and both connections end; or 'reset': they end before that. */
  onSaid: ((text: string) => 'cut' | 'reset' | undefined) | undefined
  /** True: nothing is handed on any more, in either direction, until false again. 'answers': the server hears, and is not heard. */
  frozen: boolean | 'answers'
  /** Milliseconds that each word is under way, in each direction. */
  delay: number
  connections: number
  /** Ends all connections with a RST, on both sides. */
  reset (): void
  /** Ends all connections on the server's side, and tells the client nothing. */
  strand (): void
}

export async function testProxy (t: Owner, target: string, { delay = 0 } = {}): Promise<Proxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const open = new Set<{ client: Socket, upstream: Socket, stranded: boolean }>()
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    let last: 'client' | 'server' | undefined
    const pair = { client, upstream, stranded: false }
    open.add(pair)
    proxy.connections++
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true).on('error', () => {}).on('close', () => {
        sockets.delete(socket)
        if (pair.stranded && socket === upstream) return
        open.delete(pair)
        client.destroy()
        upstream.destroy()
      })
    }
    const hand = (to: Socket, chunk: Buffer) => {
      if (proxy.frozen === true || (proxy.frozen === 'answers' && to === client)) return
      const write = () => to.writable && to.write(chunk)
      if (proxy.delay === 0) write() // a timer takes a millisecond, at least
      else setTimeout(write, proxy.delay)
    }
    client.on('data', chunk => {
      const text = chunk.toString('latin1')
      if (last !== 'client') proxy.turns++
      last = 'client'
      proxy.said += text
      const order = proxy.onSaid?.(text)
      if (order === 'reset') {
        reset(pair)
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
  const reset = ({ client, upstream }: { client: Socket, upstream: Socket }) => {
    client.resetAndDestroy()
    upstream.resetAndDestroy()
  }
  const proxy: Proxy = {
    url: original => Object.assign(new URL(original), { port: String((server.address() as AddressInfo).port) }).href,
    turns: 0,
    said: '',
    onSaid: undefined,
    frozen: false,
    delay,
    connections: 0,
    reset: () => open.forEach(reset),
    strand: () => open.forEach(pair => {
      pair.stranded = true
      pair.upstream.destroy()
    })
  }
  return proxy
}
