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

/** Where the runs of `exec` jobs leave their marks. */
export interface MarkFiles {
  /** A line for each start, end and overlap: `start NAME`. */
  readonly marks: string
  /** One lock for each job, as `PREFIX.NAME`. */
  readonly lockPrefix: string
}

/**
 * A native job that holds an exclusive lock while any process of it lives, and marks its start and its end.
 * A second run beside the first marks an overlap and fails.
 */
export function execJob(
  type: string,
  name: string,
  mark: string,
  files: MarkFiles,
  seconds: number | 'for ever',
): object {
  const script = [
    `exec 9>"${files.lockPrefix}.${name}"`,
    `flock -n 9 || { echo "overlap ${name}" >>"${files.marks}"; exit 9; }`,
    `echo "start ${name}" >>"${files.marks}"`,
    // The child in the background holds the lock as well, as an orphan would.
    seconds === 'for ever' ? 'sleep 1000000 & wait' : `sleep ${seconds} & wait`,
    `echo "end ${name}" >>"${files.marks}"`,
  ].join('\n')
  const params = { Command: 'sh', Arguments: ['-c', script] }
  return job(type, name, [task({ Type: 'exec', Params: params }, mark)])
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
