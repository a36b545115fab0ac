import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { Modules } from '../../../src/compute/guest/modules.ts'
import { assemble } from '../../engines/guest.ts'

function moduleAt(path: string, code: number): string {
  writeFileSync(path, assemble(`(module (func (export "_start")) (func (export "f${code}")))`))
  return path
}

test('a module is compiled once, also where its file is another one', () => {
  const directory = temporaryDirectory()
  const modules = new Modules()
  const first = modules.load(moduleAt(join(directory, 'a.wasm'), 1))
  expect(modules.load(moduleAt(join(directory, 'b.wasm'), 1))).toBe(first)
})

test('a file that holds other bytes is another module', () => {
  const directory = temporaryDirectory()
  const modules = new Modules()
  const path = join(directory, 'a.wasm')
  const first = modules.load(moduleAt(path, 1))
  expect(modules.load(moduleAt(path, 2))).not.toBe(first)
  expect(modules.load(moduleAt(path, 1))).toBe(first)
})

test('few are kept, those that were used last', () => {
  const directory = temporaryDirectory()
  const modules = new Modules()
  const load = (code: number) => modules.load(moduleAt(join(directory, 'a.wasm'), code))
  const [first, second] = [load(1), load(2)]
  load(3)
  load(4)
  expect(load(1)).toBe(first)
  load(5)
  expect(load(1)).toBe(first)
  expect(load(2)).not.toBe(second)
})

test('what is no module is told each time', () => {
  const path = join(temporaryDirectory(), 'a.wasm')
  writeFileSync(path, 'no module')
  const modules = new Modules()
  for (let tries = 0; tries < 2; tries += 1) expect(() => modules.load(path)).toThrow('WebAssembly.Module()')
  expect(() => modules.load(`${path}.gone`)).toThrow('ENOENT')
})
