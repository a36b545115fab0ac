import { asDataUrl, assemble } from '../engines/guest.ts'

/** A guest that says `begin` and `end`, with a pause in between, and does something at a place of these. */
function speaker({ pauseMs = 0, between = '', after = '' }): Buffer {
  return assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "begin\\n")
    (data (i32.const 80) "end\\n")
    (func $say (param $at i32) (param $length i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func $pause
      ;; One subscription to the monotonic clock.
      (i32.store (i32.const 272) (i32.const 1))
      (i64.store (i32.const 280) (i64.const ${pauseMs * 1_000_000}))
      (drop (call $poll (i32.const 256) (i32.const 320) (i32.const 1) (i32.const 8))))
    (func (export "_start")
      (call $say (i32.const 64) (i32.const 6))
      ${pauseMs > 0 ? '(call $pause)' : ''}
      ${between}
      (call $say (i32.const 80) (i32.const 4))
      ${after}))`)
}

/** Guests that live and end in different ways. */
export const GUESTS = {
  short: speaker({}),
  long: speaker({ pauseMs: 1_500 }),
  endless: speaker({ between: '(loop $l (call $pause) (br $l))', pauseMs: 3_600_000 }),
  /** Never gives the processor up; its time limit ends it. */
  spinning: speaker({ between: '(loop $l (br $l))' }),
  failing: speaker({ pauseMs: 200, after: '(call $exit (i32.const 3))' }),
  trapping: speaker({ pauseMs: 200, after: 'unreachable' }),
} as const

/** A job that runs a guest; `fields` are of its task. */
export function guestJob(type: string, name: string, module: Buffer, fields: object = {}): object {
  const input = { Source: { Type: 'inline', Params: { URL: asDataUrl(module) } }, Target: '/guest.wasm' }
  const task = {
    Name: 'main',
    Engine: { Type: 'wasm', Params: { EntryModule: '/guest.wasm' } },
    InputSources: [input],
    ...fields,
  }
  return { Type: type, Name: name, Tasks: [task] }
}
