import { expect, test } from 'vitest'
import { Secrets } from '../src/store/secrets.ts'

const secrets = new Secrets().add({ Env: { TOKEN: 'hunter2-do-not-show' } })

test('what a job wrote is hidden in the row of its execution, under the names that it has on disk', () => {
  const row = { j: 'j-1', s: 'Failed', ro: { STDERR: 'no hunter2-do-not-show here' }, f: 1 }
  const hidden = { ...row, ro: { STDERR: 'no [redacted] here' } }
  for (const kind of ['jobs', 'executions'] as const) {
    expect(secrets.redactRow(kind, 'executions', row)).toEqual(hidden)
    expect(Object.keys(secrets.redactRow(kind, 'executions', row) as object)).toEqual(Object.keys(row))
  }
})

test('what a job wrote is hidden in messages and results, which have the names of the model or of the wire', () => {
  for (const name of ['runOutput', 'RunOutput']) {
    const row = { at: 1, body: { [name]: { stdout: 'hunter2-do-not-show' } } }
    expect(secrets.redactRow('executions', 'outbox', row)).toEqual({
      at: 1,
      body: { [name]: { stdout: '[redacted]' } },
    })
  }
})

test('a field of a specification that has the short name of another one is not taken for it', () => {
  const spec = { ro: 'hunter2-do-not-show', l: { token: 'abcdefgh' } }
  expect(secrets.redactRow('jobs', 'specs', { n: 'a', l: { token: 'shown' }, spec })).toEqual({
    n: 'a',
    l: { token: 'shown' },
    spec: { ro: 'hunter2-do-not-show', l: { token: '[redacted]' } },
  })
})
