import { expect, test } from 'vitest'
import { playedServer } from './played-server.ts'

test('a server is asked for little at once, beside what may wait', async () => {
  const open = { short: 0, long: 0 }
  let most = 0
  const held: (() => void)[] = []
  const api = await playedServer((request, answer) => {
    const kind = request.url === '/waits' ? 'long' : 'short'
    open[kind] += 1
    most = Math.max(most, open.short)
    if (kind === 'long') return void held.push(() => answer.end('{}'))
    setImmediate(() => {
      open.short -= 1
      answer.end('{}')
    })
  })
  const waiting = Array.from({ length: 40 }, () => api.ask({ path: '/waits', waits: true }))
  await Promise.all(Array.from({ length: 200 }, () => api.ask({ path: '/short' })))
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(16)
  while (held.length < 40) await api.ask({ path: '/short' })
  for (const answer of held) answer()
  expect(await Promise.all(waiting)).toHaveLength(40)
})
