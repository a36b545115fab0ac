import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { pino } from 'pino'
import { onTestFinished, test } from 'vitest'
import { startRequester } from '../../src/requester/requester.ts'
import { DEFAULT_REQUESTER_SETTINGS } from '../../src/requester/settings.ts'
import { greet } from './played-node.ts'

test('a node that comes again and again is told of some times a minute, and others as ever', async () => {
  const lines: string[] = []
  const write = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const requester = startRequester({
    store: await openMemoryJobStore(),
    nodeId: 'n-requester',
    settings: DEFAULT_REQUESTER_SETTINGS,
    log: pino({ level: 'info' }, write),
  })
  onTestFinished(() => requester.stop())
  for (let count = 0; count < 100; count += 1) await greet(requester, 'n-1')
  await greet(requester, 'n-2')
  const told = (node: string) => lines.filter((line) => line.includes(`"node":"${node}"`))
  assert.equal(told('n-2').length, 1)
  assert.equal(told('n-1').length, 10)
  assert.match(told('n-1').at(-1) ?? '', /node connected; how often it comes .* is told no more/)
})
