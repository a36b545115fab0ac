import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { boltBytes } from '../../../test/bolt-writer.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { bytesAsText, valueText } from '../src/bolt/bolt-text.ts'
import { exactText, parseExactJson } from '../src/store/exact-json.ts'

test.each([
  '{"CreateTime":1796042048864144494,"Gas":-1.50,"Many":1e400,"Small":[0.1,2,-0]}',
  '{"quoted \\\\":"\\" 1796042048864144494 \\\\","then":1796042048864144495}',
  '[12345678901234567890,"12345678901234567890"]',
  '17',
])('a JSON text that is not changed stays as it is: %s', (text) => {
  expect(exactText(JSON.stringify(parseExactJson(text)))).toBe(text)
})

test('no JSON is refused', () => {
  for (const text of ['{"a":1', '{"a":"1}', '{"a":"\\', '1-2-3x', '[1-2]', '[01]', '[1.]']) {
    expect(() => parseExactJson(text), text).toThrow(SyntaxError)
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
  // A secret that is a number is hidden in what the job wrote, digit by digit.
  const numeric = Buffer.from(
    '{"Env":{"A":1},"Token":12345678901234567890,"RunOutput":{"Stdout":"it is 12345678901234567890"}}',
  )
  expect(valueText(numeric, { format: 'auto' }).text).toContain('"it is [redacted]"')
})

test('get and dump print the numbers of a value digit by digit, whatever the output', async () => {
  const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
  const path = join(temporaryDirectory(), 'some.db')
  const value = '{"CreateTime":1796042048864144494,"Huge":1e400,"Count":3,"Text":"1796042048864144495"}'
  writeFileSync(path, boltBytes({ jobs: { rows: { spec: value } } }))
  for (const output of ['table', 'json', 'ndjson', 'yaml', 'csv']) {
    for (const args of [
      ['get', path, 'jobs', 'spec'],
      ['dump', path, 'jobs'],
    ]) {
      const { code, stdout, stderr } = await session.run([...args, '--output', output])
      const what = `${args[0]} ${output}: ${stdout}`
      expect([code, stderr], what).toEqual([0, ''])
      for (const number of ['1796042048864144494', '1e400'])
        expect(stdout, what).toMatch(new RegExp(`(: ?|,|:)${number}\\b`))
      expect(stdout.replaceAll(/["\\s]/g, ''), what).toContain('1796042048864144495')
      expect(stdout, what).not.toContain('exact-')
      if (output === 'json') expect(JSON.stringify(JSON.parse(stdout)), what).toContain('"Count":3')
    }
  }
  await session.close()
})
