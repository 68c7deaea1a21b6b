// An error that nobody caught: the process cannot be trusted any more, but those who are being served did nothing wrong.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { serverProcess } from '../support/process.ts'

t.jobs = 2

for (const [kind, path] of [['an exception', '/api/test/throw'], ['a rejection', '/api/test/reject']] as const) {
  t.test(`${kind} that nobody caught is logged once, and the server ends in order with 1`, async t => {
    const { client, running, halves, pairs } = await serverProcess(t)
    const inFlight = Array.from({ length: 4 }, (_, i) => client().call('POST', `/api/test/pair/pair-${i}/1500`))
    await sleep(300)
    const culprit = await client().call('POST', path)
    t.match(culprit, { status: 200 }, 'also the request that did it is answered')
    for (const answer of await Promise.all(inFlight)) t.match(answer, { status: 200, last: true })
    const { code, out, err } = await running.ended
    t.equal(code, 1)
    const fatal = out.split('\n').filter(line => line.includes('"level":60')).map(line => JSON.parse(line))
    t.match(fatal, [{ msg: 'nobody caught this error', err: { message: 'thrown by the test', stack: /serving\.js/ } }])
    t.equal(err, '', 'and nothing is said twice')
    t.equal((await pairs()).size, 4)
    t.same(await halves(), {})
  })
}
