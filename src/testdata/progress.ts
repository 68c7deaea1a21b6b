import { SingleBar } from 'cli-progress'

/** A bar on a terminal, a line for each tenth elsewhere; nothing for ten or fewer, whose names are printed. */
export function progress (what: string, total: number, { quiet }: { quiet: boolean }) {
  if (quiet || total <= 10) return { tick () {}, stop () {} }
  if (process.stdout.isTTY) {
    const bar = new SingleBar({ format: `${what} {bar} {value}/{total}, {eta} s left`, barCompleteChar: '█', barIncompleteChar: '░', stream: process.stdout, hideCursor: true })
    bar.start(total, 0)
    return { tick: () => bar.increment(), stop: () => bar.stop() }
  }
  let done = 0
  return {
    tick () {
      done++
      if (Math.floor(done * 10 / total) > Math.floor((done - 1) * 10 / total)) console.log(`${what}: ${done}/${total}`)
    },
    stop () {}
  }
}
