// HTTP byte by byte, for what no client would send.
import { connect } from 'node:net'

export interface Answer { status: number, headers: Record<string, string>, body: string, code: string | undefined, text: string }

/** Sends the bytes as they are (text as latin1) and reads until the server hangs up. @param cut says that there will be no more bytes */
export function send (port: number, bytes: string | Buffer, cut = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
      if (cut) socket.end() // Node gives up what it has not answered yet
    })
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', chunk => { text += chunk.toString('latin1') })
    socket.on('error', (error: NodeJS.ErrnoException) => { if (text === '' || error.code !== 'ECONNRESET') reject(error) })
    socket.on('close', () => resolve(parse(text)))
  })
}

/** The last request of a connection. Its head goes out as latin1, its body, which nothing is said of, as UTF-8. */
export function request (line: string, headers: readonly string[] = [], body: string | Buffer = ''): Buffer {
  const head = [line, ...headers, 'Connection: close', '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), typeof body === 'string' ? Buffer.from(body) : body])
}

/** The first answer that is more than "100 Continue"; status 0 if there is none. */
function parse (text: string): Answer {
  const [head = '', ...rest] = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map(each => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]))
  const body = rest.join('\r\n\r\n')
  const code = headers['content-type']?.includes('json') && body ? JSON.parse(body).code as string | undefined : undefined
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1] ?? 0), headers, body, code, text }
}
