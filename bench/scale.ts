// What grows: the number of accounts around one, and one account itself.
import { json, page, rowhouse } from './contenders.ts'
import { type Load, load } from './load.ts'
import { type Figure, type Options, alternate, median, numbers, ratio, spread, warmUp } from './measure.ts'
import { type Program, bodyOf } from './program.ts'
import { type Scene, extra } from './scene.ts'

const p50 = ({ p50 }: { p50: number }) => p50

/** The same accounts, tenant-0 to tenant-19, alone and among others. */
export async function amongOthers (scene: Scene, { rounds, seconds, accounts, say }: Options): Promise<Figure[]> {
  const sizes = [20, 200, accounts]
  const programs = new Map<number, Program>()
  try {
    for (const size of sizes) programs.set(size, await rowhouse(size === accounts ? scene.main : await scene.withAccounts(size)))
    const run = (size: number, time = seconds) =>
      load({ port: programs.get(size)!.port, path: json, accounts: numbers(20), connections: 4, seconds: time })
    say('The same accounts among more and more others')
    for (const size of sizes) await run(size, warmUp)
    const measured = await alternate(rounds, sizes, size => run(size))
    return sizes.slice(1).map(size => ({
      what: `p50 of the same accounts, ${size} in all against 20`,
      value: ratio(measured.get(size)!, measured.get(20)!, p50),
      unit: 'x',
      wanted: { atMost: 1.15 },
      from: `${spread(measured.get(size)!.map(p50), 2)} and ${spread(measured.get(20)!.map(p50), 2)} ms`
    }))
  } finally {
    for (const program of programs.values()) await program.stop()
  }
}

/** An account of ordinary size and a large one, one request after the other. */
export async function largeAccount (scene: Scene, { rounds, seconds, accounts, say }: Options): Promise<Figure[]> {
  const [ordinary, large] = [accounts, accounts + 1]
  const program = await rowhouse(scene.main)
  try {
    const cursorAt = async (page: number) => {
      const { next } = JSON.parse(await bodyOf(program.port, `${json}?page=${page}`, `tenant-${large}.localhost`))
      return `${json}?cursor=${next}`
    }
    const pages = extra[1].subtasks / 10
    const asked = {
      ordinary: { accounts: [ordinary], path: page },
      first: { accounts: [large], path: page },
      last: { accounts: [large], path: `${page}last/` },
      lastByNumber: { accounts: [large], path: `${page}${pages}/` },
      second: { accounts: [large], path: await cursorAt(1) },
      lastByCursor: { accounts: [large], path: await cursorAt(pages - 1) }
    } satisfies Record<string, Pick<Load, 'accounts' | 'path'>>
    type Name = keyof typeof asked
    const run = (name: Name) => load({ port: program.port, connections: 1, seconds: seconds / 2, ...asked[name] })
    const names = Object.keys(asked) as Name[]
    say(`Accounts of ${extra[0].subtasks} and ${extra[1].subtasks} subtasks`)
    for (const name of names) await run(name)
    const measured = await alternate(rounds, names, run)
    const against = (what: string, one: Name, other: Name, atMost?: number): Figure => ({
      what,
      value: ratio(measured.get(one)!, measured.get(other)!, p50),
      unit: 'x',
      ...atMost !== undefined && { wanted: { atMost } },
      from: `${spread(measured.get(one)!.map(p50), 2)} and ${spread(measured.get(other)!.map(p50), 2)} ms`
    })
    return [
      against(`first page: 100,000 subtasks against ${extra[0].subtasks}`, 'first', 'ordinary', 2),
      against('100,000 subtasks: last page against first', 'last', 'first', 10),
      against('100,000 subtasks: last page by its number against first', 'lastByNumber', 'first'),
      against('100,000 subtasks: last page by cursor against second', 'lastByCursor', 'second', 1.25)
    ]
  } finally {
    await program.stop()
  }
}

/** One account that asks for much, and what another notices of it. */
export async function fairShares (scene: Scene, { rounds, seconds, say }: Options): Promise<Figure[]> {
  const program = await rowhouse(scene.main, {}, 'dist/bench/contenders/slow.js')
  try {
    const neighbour = () => load({ port: program.port, path: json, accounts: [1], connections: 1, seconds })
    const beside = async (path: string, connections: number) => {
      const flood = load({ port: program.port, path, accounts: [0], connections, seconds: seconds + 1 })
      await new Promise(resolve => setTimeout(resolve, 700))
      const answered = await neighbour()
      await flood
      return answered
    }
    const situations = { alone: neighbour, slow: () => beside('/api/slow', 100), quick: () => beside(json, 100) }
    type Name = keyof typeof situations
    say('One account floods, another is watched')
    await situations.quick()
    await neighbour()
    const measured = await alternate(rounds, Object.keys(situations) as Name[], name => situations[name]())
    const p99 = ({ p99 }: { p99: number }) => p99
    const against = (what: string, name: Name, atMost: number): Figure => ({
      what,
      value: median(measured.get(name)!.map(p99)) / median(measured.get('alone')!.map(p99)),
      unit: 'x',
      wanted: { atMost },
      from: `${spread(measured.get(name)!.map(p99), 1)} and ${spread(measured.get('alone')!.map(p99), 1)} ms`
    })
    return [
      against('p99 of an account while another sends 100 slow requests at once', 'slow', 2),
      against('p99 of an account while another sends 100 quick requests at once', 'quick', 5)
    ]
  } finally {
    await program.stop()
  }
}

/** People who look at a listing, while as many as can try passwords, each of which takes a core for some hundredths of a second. */
export async function signingIn (scene: Scene, { rounds, seconds, accounts, say }: Options): Promise<Figure[]> {
  const program = await rowhouse(scene.main)
  try {
    const listing = () => load({ port: program.port, path: json, accounts: numbers(accounts), connections: 4, seconds })
    const tried: number[] = []
    const beside = async () => {
      const signIns = load({ port: program.port, path: '/sign-in', accounts: numbers(accounts), connections: 4, seconds: seconds + 1, form: 'email=nobody@example.com&password=not+this+one' })
      await new Promise(resolve => setTimeout(resolve, 700))
      const answered = await listing()
      const { statuses } = await signIns
      if (Object.keys(statuses).join() !== '401') throw new Error(`Signing in was answered ${JSON.stringify(statuses)}.`)
      tried.push(statuses[401]! / (seconds + 1))
      return answered
    }
    say('A listing, while others sign in')
    await listing()
    await beside()
    const measured = await alternate(rounds, [listing, beside], situation => situation())
    const [alone, amid] = [measured.get(listing)!.map(p50), measured.get(beside)!.map(p50)]
    return [{
      what: 'p50 of a listing while others sign in, one after the other on 4 connections',
      value: median(amid) / median(alone),
      unit: 'x',
      wanted: { atMost: 2 },
      from: `${spread(amid, 2)} and ${spread(alone, 2)} ms; ${median(tried).toFixed(0)} passwords a second`
    }]
  } finally {
    await program.stop()
  }
}

/** More and more callers, none of whom takes no for an answer: ten times as many as it can serve, and more. */
export async function overload (scene: Scene, { rounds, seconds, accounts, say }: Options): Promise<Figure[]> {
  const program = await rowhouse(scene.main)
  try {
    const run = (connections: number) => load({ port: program.port, path: json, accounts: numbers(accounts), connections, before: 1, seconds })
    say('Ten times as many callers as it can serve, and more')
    for (const connections of [20, 2_000, 20, 2_000]) await run(connections)
    const measured = await alternate(Math.max(3, rounds - 2), [10, 20, 40, 200, 400, 2_000], run)
    const rateAt = (connections: number) => median(measured.get(connections)!.map(({ rate }) => rate))
    const few = [10, 20, 40]
    const peak = Math.max(...few.map(rateAt))
    return [200, 400, 2_000].map(connections => {
      const { statuses, refusedIn } = measured.get(connections)!.at(-1)!
      return {
        what: `good answers with ${connections} callers against the peak`,
        value: rateAt(connections) / peak,
        unit: 'x',
        ...connections === 200 && { wanted: { atLeast: 0.9 } }, // ten times the twenty that are as many as it can serve at once
        from: `${rateAt(connections).toFixed(0)} a second, and ${few.map(rateAt).map(rate => rate.toFixed(0)).join(', ')} with ${few.join(', ')}; ${
          JSON.stringify(statuses)}${refusedIn ? `, refused in ${refusedIn.toFixed(0)} ms` : ''}`
      }
    })
  } finally {
    await program.stop()
  }
}
