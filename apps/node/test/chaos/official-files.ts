import { assembleNamed } from '../engines/guest.ts'
import type { Release } from '../official-programs.ts'

const WRITES = (text: string, descriptor: number, at: number): string => `
  (i32.store (i32.const 0) (i32.const ${at}))
  (i32.store (i32.const 4) (i32.const ${text.length}))
  (drop (call $write (i32.const ${descriptor}) (i32.const 0) (i32.const 1) (i32.const 8)))`

/** The modules of a day, which the real servers run too: they want the names of functions in them. */
export const DAY_MODULES: Readonly<Record<string, Buffer>> = {
  nothing: assembleNamed('(module $m (func $f (export "_start")))'),
  trap: assembleNamed('(module $m (func $f (export "_start") unreachable))'),
  // Waits in pieces, since the real ones hold up everything where a module only computes.
  forever: assembleNamed(`(module $m
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $f (export "_start")
      (i64.store (i32.const 24) (i64.const 50000000))
      (loop $again (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200))) (br $again))))`),
  exit: assembleNamed(`(module $m
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func $f (export "_start") (call $exit (i32.const 3))))`),
  hello: assembleNamed(`(module $m
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "hello\\n") (data (i32.const 32) "oops\\n")
    (func $f (export "_start") ${WRITES('hello\n', 1, 16)} ${WRITES('oops\n', 2, 32)}))`),
}

/** The job files of a day, by name, as a release writes them. */
export function dayFiles(release: Release): Readonly<Record<string, string>> {
  const isNew = release === '1.9.3'
  const job = (name: string, module: string, fields: object = {}, task: object = {}): string => {
    const URL = `data:application/wasm;base64,${DAY_MODULES[module]?.toString('base64')}`
    const input = { Source: { Type: 'inline', Params: { URL } }, Target: '/m.wasm' }
    const Params = { EntryModule: isNew ? '/m.wasm' : input, Entrypoint: '_start' }
    const inputs = isNew ? { InputSources: [input] } : {}
    const Resources = { CPU: '100m', Memory: '64mb' }
    const Publisher = { Type: 'local' }
    const main = { Name: 'main', Engine: { Type: 'wasm', Params }, Publisher, Resources, ...inputs, ...task }
    return JSON.stringify({ Name: name, Type: 'batch', Count: 1, ...fields, Tasks: [main] })
  }
  return {
    'first.yaml': job('first', 'hello', { Labels: { a: 'b' } }),
    'changed.yaml': job('first', 'hello', { Labels: { a: 'c' } }),
    'quiet.yaml': job('quiet', 'nothing'),
    'new.yaml': job('new', 'nothing'),
    'ops.yaml': job('ops', 'hello', { Type: 'ops' }),
    'followed.yaml': job('followed', 'hello'),
    'details.yaml': job('details', 'hello'),
    'template.yaml': job('{{.name}}', 'hello', { Meta: { mode: '{{ or (index . "APP_MODE") "none" }}' } }),
    'bad.yaml': 'name: bad\ntype: batch\ntasks: []\n',
    'wrong.yaml': 'name: wrong\ntype: cron\ncount: 1\ntasks: [{name: main, engine: {type: wasm}}]\n',
    'empty.yaml': '',
    'two.yaml': job('two', 'hello', { Count: 2 }),
    'trap.yaml': job('trap', 'trap'),
    'exit.yaml': job('exit', 'exit'),
    'late.yaml': job('late', 'forever', {}, { Timeouts: { ExecutionTimeout: 1 } }),
    'huge.yaml': job('huge', 'nothing', {}, { Resources: { Memory: '900tb' } }),
    'nowhere.yaml': job('nowhere', 'nothing', {
      Constraints: [{ Key: 'zone', Operator: '=', Values: ['mars'] }],
    }),
    'slow.yaml': job('slow', 'forever'),
    'waited.yaml': job('waited', 'forever'),
    'service.yaml': job('service', 'forever', { Type: 'service' }),
    'daemon.yaml': job('daemon', 'forever', { Type: 'daemon' }),
    'other.yaml': job('other', 'hello', { Namespace: 'dev' }),
  }
}
