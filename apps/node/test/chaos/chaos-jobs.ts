import { readFileSync } from 'node:fs'

const WORD_COUNT = readFileSync(new URL('../../dist/demo/word-count.wasm', import.meta.url))

/** The name of the variable by which a test knows the processes of its jobs. */
const MARK_VARIABLE = 'CHAOS_MARK'

function task(engine: object, mark: string): object {
  return { Name: 'main', Engine: engine, Env: { [MARK_VARIABLE]: mark } }
}

function job(type: string, name: string, tasks: object[]): object {
  return { Type: type, Name: name, Tasks: tasks }
}

/** A native job of a script; `fields` are of its task. */
export function shellJob(type: string, name: string, script: string, fields: object = {}): object {
  const engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
  return job(type, name, [{ Name: 'main', Engine: engine, ...fields }])
}

/** A native job that sleeps until a file is there, and says whether anybody else ended what it started. */
export function watchfulJob(name: string, gate: string): object {
  const script = [
    'sleep 1000000 & child=$!; echo up',
    `while [ ! -e "${gate}" ]; do sleep 0.05 || echo harmed; done`,
    // 128 and the number of this signal, unless it was another one.
    'kill -USR1 $child; wait $child; if [ $? = 138 ]; then echo unharmed; else echo harmed; fi',
  ].join('\n')
  return shellJob('batch', name, script)
}

/** A native job that runs until a file is there. */
export function gatedJob(name: string, mark: string, gate: string): object {
  const script = `echo waiting; while [ ! -e "${gate}" ]; do sleep 0.05; done; echo done`
  return job('batch', name, [
    task({ Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }, mark),
  ])
}

/** A native job that writes so much, and ends. */
export function loudJob(name: string, bytes: number): object {
  const params = { Command: 'sh', Arguments: ['-c', `yes 0123456789 | head -c ${bytes}`] }
  return job('batch', name, [task({ Type: 'exec', Params: params }, 'none')])
}

/** A native job that stops its keeper, marks that it has, and goes on for ever. */
export function stoppingJob(name: string, mark: string, marks: string): object {
  const script = `kill -STOP $PPID; echo "${name}" >>"${marks}"; exec sleep 1000000`
  return job('batch', name, [
    task({ Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }, mark),
  ])
}

/** A job that does nothing for a while. */
export function noopJob(type: string, name: string, durationMs: number): object {
  return job(type, name, [task({ Type: 'noop', Params: { DurationMs: durationMs } }, 'none')])
}

/** A job that counts words in WebAssembly, as often as is asked. */
export function wasmJob(type: string, name: string, mark: string, passes: number): object {
  const inline = (target: string, bytes: Buffer): object => ({
    Source: {
      Type: 'inline',
      Params: { URL: `data:application/octet-stream;base64,${bytes.toString('base64')}` },
    },
    Target: target,
  })
  const engine = {
    Type: 'wasm',
    Params: {
      EntryModule: '/inputs/count.wasm',
      Parameters: ['/inputs/text.txt', String(passes), '/outputs/counts.txt'],
    },
  }
  return job(type, name, [
    {
      ...task(engine, mark),
      InputSources: [
        inline('/inputs/count.wasm', WORD_COUNT),
        inline('/inputs/text.txt', Buffer.from('salt cod\n'.repeat(10_000))),
      ],
      ResultPaths: [{ Name: 'outputs', Path: '/outputs' }],
    },
  ])
}
