// Where log lines go: standard output. A reader that has stopped must not stop us, nor fill our memory.
import type { Writable } from 'node:stream'
import type { FastifyRequest, FastifyServerOptions } from 'fastify'
import type { Config } from './config.ts'

const maxWaiting = 1024 * 1024 // characters; about 3,000 lines

export interface LogSink {
  write (line: string): void
  /** Resolves when what was written has left, or after `patience` milliseconds. */
  flush (patience: number): Promise<void>
  /** Calls back with how many lines were lost, when there is room for more. */
  onLost (tell: (lines: number) => void): void
}

/**
 * While nobody reads, lines are kept up to a limit; those past it are lost, and counted. A line leaves at once unless others are in its
 * way, also that of a fatal error: Node writes to files and terminals synchronously, and to a pipe as long as it has room.
 */
export function logSink (out: Writable): LogSink {
  let lost = 0
  return {
    write (line) {
      if (out.writableLength > maxWaiting) lost++
      else out.write(line)
    },
    flush: patience => new Promise(resolve => {
      setTimeout(resolve, patience).unref()
      out.write('', () => resolve())
    }),
    onLost (tell) {
      out.on('drain', () => {
        const lines = lost
        lost = 0
        if (lines > 0) tell(lines)
      })
    }
  }
}

export function loggerOptions ({ production, processes }: Config, level: string, sink: LogSink): FastifyServerOptions['logger'] {
  const pretty = !production && process.stdout.isTTY
  return {
    level,
    redact: ['req.headers.cookie', 'req.headers.authorization', 'res.headers["set-cookie"]'],
    ...(pretty ? { transport: { target: 'pino-pretty', options: { ignore: processes > 1 ? 'hostname' : 'pid,hostname', translateTime: 'HH:MM:ss' } } } : { stream: sink })
  }
}

/** What the log says of a request: as Fastify would, but for the secret of an invitation's link. */
export const discreet = {
  req: ({ method, url, host, ip, socket }: FastifyRequest) => ({
    method, url: url.replace(/(\/invitations\/)[^/?#]+/, '$1...'), host, remoteAddress: ip, remotePort: socket?.remotePort
  })
}
