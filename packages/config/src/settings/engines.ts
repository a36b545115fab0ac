import { expandOptionalPath, expandPaths } from '../paths.ts'
import type { Setting } from '../setting.ts'
import { duration, flag, list, path, size, text } from '../value.ts'

/** Whether native processes may run. */
export const allowExec: Setting<boolean> = {
  key: 'Engines.Exec.Allow',
  description: 'Whether jobs may run native processes of this machine, with the rights of the node.',
  form: 'boolean',
  flag: '--allow-exec',
  fallback: false,
  schema: flag(),
}

/** Whether native jobs are kept apart. */
export const execIsolate: Setting<boolean> = {
  key: 'Engines.Exec.Isolate',
  description:
    'Whether each native job has a PID namespace of its own, so that it sees and reaches no process but its own. Where the machine or the user of the node has none to give, or this is false, it has a cgroup of its own if the node may make one.',
  form: 'boolean',
  fallback: true,
  schema: flag(),
}

/** How long a native process may run. */
export const execTimeLimit: Setting<number> = {
  key: 'Engines.Exec.TimeLimit',
  description: 'The longest that a native process may run, whatever its job asks for. 0: no limit.',
  form: 'duration',
  fallback: 0,
  schema: duration(),
}

/** Whether each native job has a namespace that no other had. */
export const execFreshNamespace: Setting<boolean> = {
  key: 'Engines.Exec.FreshNamespace',
  description:
    'Whether each native job gets a PID namespace that no other had. Otherwise the jobs of one namespace follow each other in one, which is faster.',
  form: 'boolean',
  fallback: false,
  schema: flag(),
}

/** How much memory a module may use. */
export const wasmMemoryLimit: Setting<number> = {
  key: 'Engines.Wasm.MemoryLimit',
  description: 'The most memory that a WebAssembly module may use, in steps of 64KiB.',
  form: 'size',
  fallback: '1GiB',
  schema: size({ minBytes: 65_536, maxBytes: 4_294_967_296 }),
}

/** How long a module may run. */
export const wasmTimeLimit: Setting<number> = {
  key: 'Engines.Wasm.TimeLimit',
  description: 'The longest that a WebAssembly module may run, whatever its job asks for. 0: no limit.',
  form: 'duration',
  fallback: 0,
  schema: duration(),
}

/** Whether each module has a process of its own. */
export const wasmFreshProcess: Setting<boolean> = {
  key: 'Engines.Wasm.FreshProcess',
  description:
    'Whether each WebAssembly module runs in a process of its own. Otherwise the modules of one namespace follow each other in one, which is faster.',
  form: 'boolean',
  fallback: false,
  schema: flag(),
}

/** The local paths that inputs may come from. */
export const inputAllowedPaths: Setting<string[]> = {
  key: 'Inputs.AllowedPaths',
  description:
    'The directories and files of this machine that jobs may read as inputs, with all that lies in them.',
  form: 'list',
  fallback: [],
  schema: list(path()),
  locate: expandPaths,
}

/** The private hosts that inputs may come from. */
export const inputAllowedHosts: Setting<string[]> = {
  key: 'Inputs.AllowedHosts',
  description:
    'The hosts, as name or name:port, that jobs may fetch inputs from although their addresses are private or of this machine. Public addresses need no entry.',
  form: 'list',
  fallback: [],
  schema: list(
    text(
      'a host',
      "write a name or an address, and a port if only that one is meant: 'files.internal', '10.0.0.5:8080', '[::1]:80'",
      /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*\])(?::\d{1,5})?$/,
    ),
  ),
}

/** The limit on an input. */
export const inputMaxSize: Setting<number> = {
  key: 'Inputs.MaxSize',
  description: 'The most bytes that the inputs of one task may hold together.',
  form: 'size',
  fallback: '1GiB',
  schema: size({ minBytes: 1 }),
}

/** Where results are kept. */
export const resultsPath: Setting<string | undefined> = {
  key: 'Results.Path',
  description: 'The directory that results of executions are kept in.',
  form: 'path',
  fallback: undefined,
  fallbackNote: '<repo>/<node-id>-compute/results',
  schema: path(),
  locate: expandOptionalPath,
}
