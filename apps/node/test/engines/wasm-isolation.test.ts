import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { DIRECTORY, READ, type Text, WRITE } from './guest.ts'
import { WasmBench } from './wasm-bench.ts'

let bench: WasmBench

beforeEach(() => {
  bench = new WasmBench()
  writeFileSync(join(bench.directory, 'secret'), 'secret of the host')
})

describe('what a guest cannot reach', () => {
  const outside = [
    '../secret',
    '../../secret',
    'inputs/../../secret',
    'inputs/../../../secret',
    './/..//secret',
    '/etc/hostname',
    '../../../../../../../../etc/hostname',
    'outputs/counts/../../../stdout',
    '../stdout',
  ]

  test('no path leads out, from any directory', async () => {
    const outcome = await bench.runGuest((text) => {
      const attempts = [...outside, join(bench.directory, 'secret')].flatMap((path) =>
        [3, 4, 5].map(
          (fd) => `(call $attempt (i32.const ${fd}) ${text(path)} ${text(`opened ${path} from ${fd}\n`)})`,
        ),
      )
      return `${attempts.join('\n')} (call $write (i32.const 1) ${text('end')})`
    })
    expect(outcome).toMatchObject({ stdout: 'end', exitCode: 0 })
  })

  test('above the root lies the root, as everywhere', async () => {
    const outcome = await bench.runGuest(
      (text) => `(local $above i32)
      (local.set $above (call $open (i32.const 3) ${text('..')} (i32.const 2) (i64.const ${DIRECTORY})))
      (call $attempt (local.get $above) ${text('stdout')} ${text('opened the log ')})
      (call $attempt (local.get $above) ${text('../stdout')} ${text('opened the log ')})
      (call $attempt (local.get $above) ${text('inputs/text.txt')} ${text('opened ')})`,
    )
    expect(outcome).toMatchObject({ stdout: 'opened text of the input', exitCode: 0 })
  })

  test('an honest path is opened that way', async () => {
    const outcome = await bench.runGuest(
      (text) => `(call $attempt (i32.const 3) ${text('inputs/../inputs/text.txt')} ${text('opened ')})`,
    )
    expect(outcome.stdout).toBe('opened text of the input')
  })

  test('no other file of its process', async () => {
    const outcome = await bench.runGuest(
      (text) => `(local $fd i32) (local.set $fd (i32.const 6))
      (loop $next
        (i32.store (i32.const 0) (i32.const 100000))
        (i32.store (i32.const 4) (i32.const 100))
        (if (i32.eqz (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
          (then (call $write (i32.const 1) ${text('read')})))
        (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $fd) (i32.const 1000))))
      (call $cat (i32.const 0))
      (call $write (i32.const 1) ${text('end')})`,
    )
    expect(outcome).toMatchObject({ stdout: 'end', exitCode: 0 })
  })

  test.each(['../secret', '../../../secret', '/etc/hostname', 'inside'])(
    'a link to %s is not made',
    async (target) => {
      const outcome = await bench.runGuest(
        (text) => `(call $check (call $path_symlink ${text(target)} (i32.const 4) ${text('link')}))`,
      )
      expect(outcome.exitCode).toBe(63)
    },
  )

  test('a link that is made deep inside and then moved up does not lead out', async () => {
    // Inside, `../../..` from a/b/c is the directory itself; moved up it would be three levels above.
    const outcome = await bench.runGuest(
      (text) => `
      (call $check (call $path_mkdir (i32.const 4) ${text('a')}))
      (call $check (call $path_mkdir (i32.const 4) ${text('a/b')}))
      (call $check (call $path_mkdir (i32.const 4) ${text('a/b/c')}))
      (call $check (call $path_symlink ${text('../../..')} (i32.const 4) ${text('a/b/c/up')}))
      (call $check (call $path_rename (i32.const 4) ${text('a/b/c/up')} (i32.const 4) ${text('up')}))
      (call $cat (call $open (i32.const 4) ${text('up/work/../secret')} (i32.const 0) (i64.const ${READ})))`,
    )
    expect(outcome).toMatchObject({ exitCode: 63, stdout: '' })
  })
})

describe('what a guest cannot change', () => {
  const input = 'inputs/text.txt'
  const changes: readonly (readonly [string, (text: Text) => string])[] = [
    [
      'write an input',
      (t) => `(drop (call $open (i32.const 3) ${t(input)} (i32.const 0) (i64.const ${WRITE})))`,
    ],
    [
      'truncate an input',
      (t) => `(drop (call $open (i32.const 3) ${t(input)} (i32.const 8) (i64.const ${READ})))`,
    ],
    [
      'create beside an input',
      (t) => `(drop (call $open (i32.const 3) ${t('inputs/new')} (i32.const 1) (i64.const ${READ})))`,
    ],
    ['remove an input', (t) => `(call $check (call $path_unlink (i32.const 3) ${t(input)}))`],
    ['make a directory', (t) => `(call $check (call $path_mkdir (i32.const 3) ${t('inputs/new')}))`],
    ['remove a directory', (t) => `(call $check (call $path_rmdir (i32.const 3) ${t('outputs/counts')}))`],
    [
      'move an input',
      (t) => `(call $check (call $path_rename (i32.const 3) ${t(input)} (i32.const 4) ${t('x')}))`,
    ],
    [
      'link from an input',
      (t) =>
        `(call $check (call $path_link (i32.const 3) (i32.const 0) ${t(input)} (i32.const 4) ${t('x')}))`,
    ],
    [
      'write through a directory opened below',
      (t) => `(local $dir i32)
        (local.set $dir (call $open (i32.const 3) ${t('inputs')} (i32.const 2) (i64.const ${DIRECTORY})))
        (drop (call $open (local.get $dir) ${t('text.txt')} (i32.const 0) (i64.const ${WRITE})))`,
    ],
    [
      'write through a renumbered directory',
      (t) => `
        (call $check (call $fd_renumber (i32.const 3) (i32.const 5)))
        (drop (call $open (i32.const 5) ${t(input)} (i32.const 0) (i64.const ${WRITE})))`,
    ],
    [
      'write to a file that was opened for reading',
      (t) => `
        (call $write (call $open (i32.const 3) ${t(input)} (i32.const 0) (i64.const ${READ})) ${t('changed')})`,
    ],
  ]

  test.each(changes)('%s', async (_name, body) => {
    const outcome = await bench.runGuest(body)
    // EROFS, or ENOTCAPABLE where the open file itself lacks the right.
    expect([69, 76]).toContain(outcome.exitCode)
    expect(outcome.errorMessage).toBeNull()
    expect(bench.hostFile(input)).toBe('text of the input')
  })
})
