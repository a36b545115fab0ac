import { expect, test } from 'vitest'
import { bytesAsText, valueText } from '../src/bolt/bolt-text.ts'
import { changeJsonText } from '../src/store/exact-json.ts'

test.each([
  '{"CreateTime":1796042048864144494,"Gas":-1.50,"Many":1e400,"Small":[0.1,2,-0]}',
  '{"quoted \\\\":"\\" 1796042048864144494 \\\\","then":1796042048864144495}',
  '[12345678901234567890,"12345678901234567890"]',
  '17',
])('a JSON text that is not changed stays as it is: %s', (text) => {
  expect(changeJsonText(text, (value) => value)).toBe(text)
})

test('no JSON is refused', () => {
  for (const text of ['{"a":1', '{"a":"1}', '{"a":"\\', '1-2-3x']) {
    expect(() => changeJsonText(text, (value) => value)).toThrow(SyntaxError)
  }
})

test('a value of a BoltDB file whose secrets are hidden keeps its times to the nanosecond', () => {
  const row = (token: string, output: string) =>
    `{"Job":{"Tasks":[{"Env":{"TOKEN":"${token}"}}]},"RunOutput":{"Stdout":"${output}"},"Time":1796042048864144494}`
  const value = Buffer.from(row('hunter2-do-not-show', 'is hunter2-do-not-show'))
  expect(valueText(value, { format: 'auto' })).toMatchObject({
    text: row('[redacted]', 'is [redacted]'),
    hidden: true,
    json: { RunOutput: { Stdout: 'is [redacted]' } },
  })
  expect(valueText(value, { format: 'auto', showSecrets: true }).text).toBe(bytesAsText(value, 'auto'))
})
