import { expandPath } from '../paths.ts'
import { setting } from '../setting.ts'
import { amount, integer, list, path, size, text } from '../value.ts'

/** An address of a requester. */
const ORCHESTRATOR_PATTERN =
  /^(?:https?:\/\/(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?\/*|unix:\/[ -~]{1,100})$/

/** Whom a compute node works for, and how much of the machine executions get. */
export const compute = {
  /** Where the requester of a node without that role is, one address for each way to it; tried in this order. */
  orchestrators: setting({
    key: 'Node.Compute.Orchestrators',
    description:
      'Where a node of the role compute alone finds its requester: https://HOST:PORT, or http:// within this machine, the address of its API, or unix:/PATH. Several, with commas between, are ways to the same requester, tried in turn.',
    form: 'list',
    flag: '--orchestrators',
    environment: 'BACALHAU_COMPUTE_ORCHESTRATORS',
    fallback: [],
    fallbackNote: 'none: the requester is in the same process',
    schema: list(
      text(
        'the address of a requester',
        "write it like 'http://127.0.0.1:1234' (the address of its API) or 'unix:/run/saltcod/api.sock'",
        ORCHESTRATOR_PATTERN,
      ),
    ),
    held: (given) => [...new Set(given.map((address) => address.replace(/\/+$/, '')))],
  }),
  /** The file with the token by which it joins; absent means the variables. */
  joinTokenFile: setting<string | undefined>({
    key: 'Node.Compute.JoinTokenFile',
    description:
      'The file with the token by which a node of the role compute alone joins a requester that asks for tokens (saltcod token create --role node). Without it: the variables SALTCOD_JOIN_TOKEN or BACALHAU_COMPUTE_AUTH_TOKEN, which hold it itself. Once it has joined, the node has a credential of its own and needs none.',
    form: 'path',
    flag: '--join-token',
    fallback: undefined,
    fallbackNote: 'none: SALTCOD_JOIN_TOKEN, BACALHAU_COMPUTE_AUTH_TOKEN',
    schema: path(),
    locate: expandPath,
  }),
  /** What of the environment of the node jobs may have. */
  env: {
    allowList: setting({
      key: 'Node.Compute.Env.AllowList',
      description:
        'The variables of the node that a job may name as env:NAME in its Env and Params; * stands for any characters. Every job may have each of them.',
      form: 'list',
      fallback: [],
      schema: list(
        text(
          'the name of a variable',
          "write it as 'API_TOKEN', or 'AWS_*' for all that begin so",
          /^[A-Za-z_*][A-Za-z0-9_*]*$/,
        ),
      ),
    }),
  },
  /** The most executions that run at a time; absent means what suits the machine. */
  maxRunning: setting<number | undefined>({
    key: 'Node.Compute.MaxRunning',
    description:
      'The most executions that run at a time on this node, whatever they reserve; what they reserve bounds them first.',
    form: 'integer',
    fallback: undefined,
    fallbackNote: '1,000, or fewer where few files may be open',
    schema: integer(1, 10_000),
  }),
  /** What all executions together may reserve; absent means what suits the machine. */
  capacity: {
    cpu: setting<number | undefined>({
      key: 'Node.Compute.Capacity.CPU',
      description: 'The processor cores that all executions together may reserve; fractions are allowed.',
      form: 'number',
      fallback: undefined,
      fallbackNote: 'all that the machine has',
      schema: amount(0.001, 100_000),
    }),
    memoryBytes: setting<number | undefined>({
      key: 'Node.Compute.Capacity.Memory',
      description: 'The memory that all executions together may reserve.',
      form: 'size',
      fallback: undefined,
      fallbackNote: 'four fifths of what the machine has',
      schema: size({ minBytes: 1 }),
    }),
    diskBytes: setting<number | undefined>({
      key: 'Node.Compute.Capacity.Disk',
      description: 'The disk space that all executions together may reserve.',
      form: 'size',
      fallback: undefined,
      fallbackNote: 'what the file system of the repository has free at start',
      schema: size({ minBytes: 1 }),
    }),
    gpu: setting({
      key: 'Node.Compute.Capacity.GPU',
      description: 'The graphics processors that all executions together may reserve.',
      form: 'integer',
      fallback: 0,
      schema: integer(0, 10_000),
    }),
  },
  /** What the machine must have left where a run is to begin; 0 asks for nothing. */
  leastFree: {
    diskBytes: setting({
      key: 'Node.Compute.LeastFree.Disk',
      description:
        'No run begins while the disk of the node has less space left than this: what a run writes to its log is lost on a full one. 0: begin all the same, so that jobs end and can be removed.',
      form: 'size',
      fallback: 0,
      schema: size(),
    }),
    files: setting({
      key: 'Node.Compute.LeastFree.Files',
      description:
        'No run begins while fewer files than this could still be opened on the machine, by all programs together. 0: begin all the same.',
      form: 'integer',
      fallback: 1_024,
      schema: integer(0, 1_000_000_000),
    }),
    memoryBytes: setting({
      key: 'Node.Compute.LeastFree.Memory',
      description:
        'No run begins while the machine has less memory left than this: below it the kernel takes memory from programs that work, and ends some. 0: begin all the same.',
      form: 'size',
      fallback: '256MiB',
      schema: size(),
    }),
    processes: setting({
      key: 'Node.Compute.LeastFree.Processes',
      description:
        'No run begins while fewer processes and threads than this could still be started on the machine: a program that cannot start one fails. 0: begin all the same.',
      form: 'integer',
      fallback: 512,
      schema: integer(0, 1_000_000_000),
    }),
  },
}
