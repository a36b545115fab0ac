import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { saltcod, serveNode } from './cli/binary.ts'

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url))

/** What each example prints. */
const PRINTED: Readonly<Record<string, RegExp>> = {
  'hello.yaml': /^hello from j-[0-9a-f-]{36}\n$/,
  'nothing.yaml': /^$/,
  'word-count.yaml': /^lines 2\nwords 10\nbytes 51\n$/,
}

test('each example runs as it says', { timeout: 200_000 }, async () => {
  const { env, directory } = await serveNode(temporaryDirectory(), ['--allow-exec'])
  const files = readdirSync(EXAMPLES)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
  expect(files).toEqual(Object.keys(PRINTED))
  for (const file of files) {
    const run = await saltcod(['job', 'run', join(EXAMPLES, file)], { env })
    expect(run.code, `${file}: ${run.stdout}${run.stderr}`).toBe(0)
    expect(run.stderr, file).toBe('')
    const name = file.replace('.yaml', '')
    expect((await saltcod(['job', 'logs', name], { env })).stdout, file).toMatch(PRINTED[file] ?? /never/)
    const described = await saltcod(['job', 'describe', name, '--output', 'json'], { env })
    const { Job } = JSON.parse(described.stdout) as WireGetJobAnswer
    expect(Job.State.StateType, file).toBe('Completed')
  }
  const kept = readdirSync(directory, { recursive: true }).map(String)
  expect(kept.filter((path) => path.endsWith('outputs/counts.txt')).length).toBe(1)
  expect(kept.filter((path) => path.endsWith('greeted/when.txt')).length).toBe(1)
})

test('the module in word-count.yaml is the one that is built', () => {
  const job = parse(readFileSync(join(EXAMPLES, 'word-count.yaml'), 'utf8'))
  const url: string = job.Tasks[0].InputSources[1].Source.Params.URL
  const built = readFileSync(new URL('../dist/demo/word-count.wasm', import.meta.url))
  expect(
    Buffer.from(url.slice(url.indexOf(',') + 1), 'base64').equals(built),
    'run: node scripts/write-examples.mjs',
  ).toBe(true)
})
