import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { EngineOutcome } from '../../src/compute/keeper/outcome.ts'
import { WasmBench } from '../engines/wasm-bench.ts'

const module = readFileSync(new URL('../../dist/demo/word-count.wasm', import.meta.url))
let bench: WasmBench

beforeEach(() => {
  bench = new WasmBench()
})

async function count(text: string | Buffer, ...parameters: string[]): Promise<EngineOutcome> {
  writeFileSync(join(bench.directory, 'book.txt'), text)
  const source = { Type: 'local', Params: { SourcePath: join(bench.directory, 'book.txt') } }
  return await bench.run(module, {
    params: { Parameters: parameters },
    inputs: [{ Source: source, Alias: '', Target: '/inputs/book.txt' }],
  })
}

const RESULT = '/outputs/counts/counts.txt'

test.each([
  ['', 0, 0, 0],
  ['one', 0, 1, 3],
  ['one two\nthree\n', 2, 3, 14],
  ['  \t\r\n\v\f x  ', 1, 1, 11],
  ['Äpfel über\u00a0alles', 0, 2, 19],
])('counts %j', async (text, lines, words, bytes) => {
  const counts = `lines ${lines}\nwords ${words}\nbytes ${bytes}\n`
  const outcome = await count(text, '/inputs/book.txt', '1', RESULT)
  expect(outcome).toMatchObject({ exitCode: 0, stdout: counts, stderr: '', errorMessage: null })
  expect(bench.hostFile(RESULT)).toBe(counts)
})

test('counts a text of some megabytes, several times', async () => {
  const line = 'the quick brown fox jumps over the lazy dog\n'
  const outcome = await count(line.repeat(100_000), '/inputs/book.txt', '3', RESULT)
  const counts = `lines 100000\nwords 900000\nbytes ${line.length * 100_000}\n`
  expect(outcome.stdout).toBe(`pass 1 of 3\npass 2 of 3\npass 3 of 3\n${counts}`)
  expect(bench.hostFile(RESULT)).toBe(counts)
})

test('says what is wrong', async () => {
  expect(await count('', '/inputs/missing')).toMatchObject({
    exitCode: 1,
    stderr: 'word-count: cannot open /inputs/missing\n',
  })
  expect(await count('', '/inputs/book.txt', '3x')).toMatchObject({
    exitCode: 1,
    stderr: 'word-count: this is no number of repeats: 3x\n',
  })
  // No result path of this job lies there.
  expect(await count('', '/inputs/book.txt')).toMatchObject({
    exitCode: 1,
    stderr: 'word-count: cannot open /outputs/counts.txt\n',
  })
})
