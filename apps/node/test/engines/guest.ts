import loadWabt from 'wabt'

const wabt = await loadWabt()

/** Turns WebAssembly text into a module. */
export function assemble(text: string): Buffer {
  return assembled(text, false)
}

/** Turns WebAssembly text into a module that has the names of its functions. */
export function assembleNamed(text: string): Buffer {
  return assembled(text, true)
}

function assembled(text: string, write_debug_names: boolean): Buffer {
  const parsed = wabt.parseWat('guest.wat', text)
  parsed.validate()
  return Buffer.from(parsed.toBinary({ write_debug_names }).buffer)
}

/** A module as a data URL. */
export function asDataUrl(module: Buffer): string {
  return `data:application/wasm;base64,${module.toString('base64')}`
}

/** Puts a text into the guest's memory; answers with its address and length as two operands. */
export type Text = (text: string) => string

const ALL_RIGHTS = 0x0fffffff
/** Rights of `path_open` for reading, and for reading and writing. */
export const READ = 0x2
export const WRITE = 0x42
/** Rights for a directory through which something is opened. */
export const DIRECTORY = 0x0fffffbf

const PRELUDE = `
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link"
    (func $path_link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $path_rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $path_mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_remove_directory" (func $path_rmdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 4)
  ;; Ends with the error number as exit code unless it is 0.
  (func $check (param $errno i32) (if (local.get $errno) (then (call $exit (local.get $errno)))))
  (func $write (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (call $check (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $open (param $dir i32) (param $at i32) (param $length i32) (param $flags i32) (param $rights i64) (result i32)
    (call $check (call $path_open (local.get $dir) (i32.const 1) (local.get $at) (local.get $length)
      (local.get $flags) (local.get $rights) (i64.const ${ALL_RIGHTS}) (i32.const 0) (i32.const 16)))
    (i32.load (i32.const 16)))
  ;; Copies what can be read at once to standard output.
  (func $cat (param $fd i32)
    (i32.store (i32.const 0) (i32.const 100000))
    (i32.store (i32.const 4) (i32.const 60000))
    (call $check (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $write (i32.const 1) (i32.const 100000) (i32.load (i32.const 8))))
  ;; Says so and copies the content when a path can be opened; is silent when it cannot.
  (func $attempt (param $dir i32) (param $at i32) (param $length i32) (param $said i32) (param $said_length i32)
    (if (i32.eqz (call $path_open (local.get $dir) (i32.const 1) (local.get $at) (local.get $length)
        (i32.const 0) (i64.const ${READ}) (i64.const ${ALL_RIGHTS}) (i32.const 0) (i32.const 16)))
      (then
        (call $write (i32.const 1) (local.get $said) (local.get $said_length))
        (call $cat (i32.load (i32.const 16))))))
`

/** Makes a guest out of the body of its entrypoint; `text` gives the operands of a text. */
export function guest(body: (text: Text) => string, entrypoint = '_start'): Buffer {
  let at = 1_024
  const segments: string[] = []
  const text: Text = (content) => {
    const bytes = Buffer.from(content)
    const escaped = [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
    segments.push(`(data (i32.const ${at}) "${escaped}")`)
    const operands = `(i32.const ${at}) (i32.const ${bytes.length})`
    at += bytes.length
    return operands
  }
  const main = body(text)
  return assemble(`(module ${PRELUDE} ${segments.join('\n')} (func (export "${entrypoint}") ${main}))`)
}
