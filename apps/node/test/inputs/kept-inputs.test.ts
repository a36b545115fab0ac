import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { KEPT_INPUTS, KeptInputs, type KeptInputsOptions } from '../../src/inputs/kept-inputs.ts'

function keptInputs(options: Partial<KeptInputsOptions> = {}): {
  kept: KeptInputs<string>
  place: string
  take: (content: string) => ReturnType<KeptInputs<string>['take']>
  made: () => number
} {
  const place = join(temporaryDirectory(), 'inputs')
  const kept = new KeptInputs<string>(place, { ...KEPT_INPUTS, ...options })
  onTestFinished(() => kept.close())
  let count = 0
  const take = (content: string): ReturnType<KeptInputs<string>['take']> =>
    kept.take(content, {
      make: (directory) => {
        count += 1
        mkdirSync(join(directory, 'deep'))
        writeFileSync(join(directory, 'deep', 'text'), content, { mode: 0o444 })
        return Promise.resolve(`made of ${content}`)
      },
      holds: () => Promise.resolve(true),
    })
  return { kept, place, take, made: () => count }
}

test('what comes a second time is made once, and shared', async () => {
  const { take, made, place } = keptInputs()
  expect(await take('a')).toBeUndefined()
  expect(existsSync(place)).toBe(false)
  const [one, two] = await Promise.all([take('a'), take('a')])
  expect(one?.made).toBe('made of a')
  expect(two?.directory).toBe(one?.directory)
  one?.release()
  one?.release()
  const three = await take('a')
  expect(three?.directory).toBe(one?.directory)
  expect(readFileSync(join(three?.directory ?? '', 'deep/text'), 'utf8')).toBe('a')
  expect(made()).toBe(1)
})

test.each<[string, (directory: string) => void]>([
  [
    'a file is written to',
    (directory) => {
      chmodSync(join(directory, 'deep/text'), 0o644)
      writeFileSync(join(directory, 'deep/text'), 'b')
    },
  ],
  [
    'a file is written to, and its times are set back',
    (directory) => {
      const { atime, mtime } = statSync(join(directory, 'deep/text'))
      chmodSync(join(directory, 'deep/text'), 0o644)
      writeFileSync(join(directory, 'deep/text'), 'b')
      chmodSync(join(directory, 'deep/text'), 0o444)
      utimesSync(join(directory, 'deep/text'), atime, mtime)
    },
  ],
  ['a file is added', (directory) => writeFileSync(join(directory, 'deep/more'), '')],
  [
    'a directory is another one',
    (directory) => {
      renameSync(join(directory, 'deep'), join(directory, 'old'))
      mkdirSync(join(directory, 'deep'))
      writeFileSync(join(directory, 'deep/text'), 'a')
    },
  ],
])('what was changed is made again: %s', async (_, change) => {
  const { take, made } = keptInputs()
  await take('a')
  const before = await take('a')
  change(before?.directory ?? '')
  const after = await take('a')
  expect(made()).toBe(2)
  expect(after?.directory).not.toBe(before?.directory)
  expect(readFileSync(join(after?.directory ?? '', 'deep/text'), 'utf8')).toBe('a')
  before?.release()
  await eventually('what was changed is removed', () => !existsSync(before?.directory ?? ''))
})

test('a copy is private, and has the same modes', async () => {
  const { take } = keptInputs()
  await take('a')
  const tree = await take('a')
  const copy = join(temporaryDirectory(), 'root')
  await tree?.copyTo(copy)
  expect(statSync(join(copy, 'deep/text')).mode & 0o777).toBe(0o444)
  chmodSync(join(copy, 'deep/text'), 0o644)
  writeFileSync(join(copy, 'deep/text'), 'changed')
  expect((await take('a'))?.directory).toBe(tree?.directory)
})

test('too much is not kept', async () => {
  const { take, place, made } = keptInputs({ maxEntries: 2 })
  for (let time = 0; time < 4; time += 1) expect(await take('a')).toBeUndefined()
  expect(made()).toBe(1)
  await eventually('nothing is left', () => readdirSync(place).length === 0)
})

test('those used longest ago go first, and what is used stays', async () => {
  const { take, place } = keptInputs({ maxIdle: 2 })
  const used = ['a', 'b', 'c', 'd']
  const trees = []
  for (const content of used) {
    await take(content)
    trees.push(await take(content))
  }
  for (const tree of trees.slice(1)) tree?.release()
  await eventually('one of those that nobody uses is gone', () => readdirSync(place).length === 3)
  expect(existsSync(trees[0]?.directory ?? '')).toBe(true)
  expect(existsSync(trees[1]?.directory ?? '')).toBe(false)
})

test('what nobody uses for a time is removed', async () => {
  const { take, place } = keptInputs({ idleMs: 50 })
  await take('a')
  ;(await take('a'))?.release()
  await eventually('it is gone', () => readdirSync(place).length === 0)
})

const HOLDS = { holds: () => Promise.resolve(true) }

test('what cannot be made is left to the run, and made anew for the next', async () => {
  const place = join(temporaryDirectory(), 'inputs')
  const kept = new KeptInputs<string>(place)
  const take = async (make: () => Promise<string>): Promise<string | undefined> =>
    (await kept.take('a', { ...HOLDS, make }))?.made
  expect(await take(() => Promise.resolve(''))).toBeUndefined()
  expect(await take(() => Promise.reject(new Error('no room')))).toBeUndefined()
  await eventually('nothing is left of it', () => readdirSync(place).length === 0)
  expect(await take(() => Promise.resolve(''))).toBeUndefined()
  expect(await take(() => Promise.resolve('made'))).toBe('made')
  await kept.close()
  expect(existsSync(place)).toBe(false)
})

test('what is not what it should be once it was noted is not kept', async () => {
  const { kept, place } = keptInputs()
  const maker = { make: () => Promise.resolve('made'), holds: () => Promise.resolve(false) }
  for (let time = 0; time < 3; time += 1) expect(await kept.take('a', maker)).toBeUndefined()
  await eventually('nothing is left of it', () => readdirSync(place).length === 0)
})

test('a link in the place of the directory holds up one run, and is removed', async () => {
  const { take, place } = keptInputs()
  symlinkSync('/nowhere/at/all', place)
  await take('a')
  expect(await take('a')).toBeUndefined()
  await take('a')
  expect((await take('a'))?.made).toBe('made of a')
})

test('what an earlier process left is removed', async () => {
  const { kept, place } = keptInputs()
  mkdirSync(join(place, 'old'), { recursive: true })
  await kept.open()
  expect(existsSync(place)).toBe(false)
})
