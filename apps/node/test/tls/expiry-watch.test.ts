import assert from 'node:assert/strict'
import { pino } from 'pino'
import { onTestFinished, test } from 'vitest'
import { ExpiryWatch } from '../../src/tls/expiry-watch.ts'
import { WARN_BEFORE_MS } from '../../src/tls/server-tls.ts'

const DAY_MS = 86_400_000

test('a certificate that ends soon is named once a day, and one that has ended is an error', () => {
  const lines: { readonly level: number; readonly daysLeft?: number; readonly what: string }[] = []
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) })
  const untilMs = Date.parse('2026-06-01T00:00:00Z')
  let now = untilMs - WARN_BEFORE_MS
  const authority = {
    what: 'authority' as const,
    untilMs: untilMs + 365 * DAY_MS,
    warnBeforeMs: WARN_BEFORE_MS,
  }
  const watch = new ExpiryWatch(
    {
      current: { cert: '', key: '' },
      proof: '',
      ends: [{ what: 'server', untilMs, warnBeforeMs: WARN_BEFORE_MS }, authority],
      follow: () => undefined,
      look: () => Promise.resolve(),
      close: () => undefined,
    },
    () => now,
    log,
  )
  onTestFinished(() => watch.close())
  const said = (): unknown[] => lines.splice(0).map(({ level, what, daysLeft }) => [level, what, daysLeft])
  assert.deepEqual(said(), [])
  now += 1
  for (let hour = 0; hour < 48; hour += 1) {
    watch.look()
    now += DAY_MS / 24
  }
  assert.deepEqual(said(), [
    [40, 'server', 13],
    [40, 'server', 12],
  ])
  now = untilMs
  watch.look()
  assert.deepEqual(said(), [[50, 'server', undefined]])
})
