import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { HeldConnections } from '../../src/access/held-connections.ts'

test('what somebody has in progress is released one by one, and all of it with its connection', async () => {
  const held = new HeldConnections(Date.now)
  const socket = new PassThrough()
  const release = held.hold('token a', socket, Date.now() + 3_600_000)
  for (let count = 0; count < 50; count += 1) held.hold('token a', socket, null)
  assert.equal(held.size, 51)
  release()
  release()
  assert.equal(held.size, 50)
  assert.equal(socket.listenerCount('close'), 1)
  socket.destroy()
  await once(socket, 'close')
  assert.equal(held.size, 0)
})

test('it is cut off with whoever has it, but for the connection on which that was asked', async () => {
  const held = new HeldConnections(Date.now)
  const [cut, spared, other] = [new PassThrough(), new PassThrough(), new PassThrough()]
  for (const socket of [cut, spared]) held.hold('token a', socket, null)
  held.hold('token b', other, null)
  held.cut('token a', spared)
  assert.deepEqual(
    [cut, spared, other].map(({ destroyed }) => destroyed),
    [true, false, false],
  )
})

test('it is cut off at its time also where the clock was set ahead meanwhile', async () => {
  let nowMs = 1_000_000
  const held = new HeldConnections(() => nowMs)
  const [short, long] = [new PassThrough(), new PassThrough()]
  held.hold('token a', short, nowMs + 3_600_000)
  held.hold('token b', long, nowMs + 36_000_000)
  nowMs += 7_200_000
  await eventually('it is cut off', () => Promise.resolve(short.destroyed))
  assert.ok(!long.destroyed)
  long.destroy()
})
