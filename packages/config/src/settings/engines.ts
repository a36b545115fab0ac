import { setting } from '../setting.ts'
import { choice, duration, flag, size, text } from '../value.ts'

/** What carries out tasks; a time limit of 0 means that there is none. */
export const engines = {
  exec: {
    allow: setting({
      key: 'Engines.Exec.Allow',
      description: 'Whether jobs may run native processes of this machine, with the rights of the node.',
      form: 'boolean',
      flag: '--allow-exec',
      fallback: false,
      schema: flag(),
    }),
    /** True: each job has a PID namespace of its own where there is one to have. */
    isolate: setting({
      key: 'Engines.Exec.Isolate',
      description:
        'Whether each native job has a PID namespace of its own, so that it sees and reaches no process but its own. Where the machine or the user of the node has none to give, or this is false, it has a cgroup of its own if the node may make one.',
      form: 'boolean',
      fallback: true,
      schema: flag(),
    }),
    /** True: in a namespace that no job had before; false: those of one namespace follow each other in one. */
    freshNamespace: setting({
      key: 'Engines.Exec.FreshNamespace',
      description:
        'Whether each native job gets a PID namespace that no other had. Otherwise the jobs of one namespace follow each other in one, which is faster.',
      form: 'boolean',
      fallback: false,
      schema: flag(),
    }),
    timeLimitMs: setting({
      key: 'Engines.Exec.TimeLimit',
      description: 'The longest that a native process may run, whatever its job asks for. 0: no limit.',
      form: 'duration',
      fallback: 0,
      schema: duration(),
    }),
  },
  docker: {
    /** Empty: found by itself; `none`: there are no containers. */
    socket: setting({
      key: 'Engines.Docker.Socket',
      description:
        'The socket of the Docker or Podman that runs containers, as a path or unix://PATH; none for no containers. Empty: the one that DOCKER_HOST names, or the first that answers of /var/run/docker.sock, /run/podman/podman.sock, and those of the user of the node.',
      form: 'text',
      fallback: '',
      schema: text(
        'a socket',
        "write a path like '/run/podman/podman.sock', or none",
        /^(?:|none|(?:unix:\/\/)?\/.+)$/,
      ),
    }),
    pull: setting({
      key: 'Engines.Docker.Pull',
      description:
        'When the image of a job is fetched: where it is missing, always before a job, or never, so that only images run that the operator has put there.',
      form: 'choice',
      fallback: 'missing',
      schema: choice(['missing', 'always', 'never']),
    }),
    pullPatienceMs: setting({
      key: 'Engines.Docker.PullPatience',
      description: 'How long nothing may come of an image that is fetched before that is given up.',
      form: 'duration',
      fallback: '5m',
      schema: duration({ minMs: 1_000, maxMs: 2_147_483_647 }),
    }),
    /** Of those that the engine has fetched itself. */
    images: {
      keepForMs: setting({
        key: 'Engines.Docker.Images.KeepFor',
        description:
          'How long an image that a job had fetched is kept after the last job that used it. What an operator has put there is never removed. 0: as long as Engines.Docker.Images.MaxSize allows.',
        form: 'duration',
        fallback: '720h',
        schema: duration(),
      }),
      maxBytes: setting({
        key: 'Engines.Docker.Images.MaxSize',
        description:
          'The most that all images together may take that jobs had fetched; beyond it those go that no job has used for longest, and never one of which there is a container. 0: no limit.',
        form: 'size',
        fallback: 0,
        schema: size(),
      }),
    },
    timeLimitMs: setting({
      key: 'Engines.Docker.TimeLimit',
      description: 'The longest that a container may run, whatever its job asks for. 0: no limit.',
      form: 'duration',
      fallback: 0,
      schema: duration(),
    }),
  },
  wasm: {
    /** True: each module has a process of its own; false: those of one namespace follow each other in one. */
    freshProcess: setting({
      key: 'Engines.Wasm.FreshProcess',
      description:
        'Whether each WebAssembly module runs in a process of its own. Otherwise the modules of one namespace follow each other in one, which is faster.',
      form: 'boolean',
      fallback: false,
      schema: flag(),
    }),
    memoryLimitBytes: setting({
      key: 'Engines.Wasm.MemoryLimit',
      description: 'The most memory that a WebAssembly module may use, in steps of 64KiB.',
      form: 'size',
      fallback: '1GiB',
      schema: size({ minBytes: 65_536, maxBytes: 4_294_967_296 }),
    }),
    timeLimitMs: setting({
      key: 'Engines.Wasm.TimeLimit',
      description: 'The longest that a WebAssembly module may run, whatever its job asks for. 0: no limit.',
      form: 'duration',
      fallback: 0,
      schema: duration(),
    }),
  },
}
