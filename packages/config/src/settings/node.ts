import { expandPath } from '../paths.ts'
import { setting } from '../setting.ts'
import { choice, flag, keyed, list, path, text } from '../value.ts'

/** What a node can be. */
export const NODE_ROLES = ['requester', 'compute'] as const

/** A part that a node plays. */
export type NodeRole = (typeof NODE_ROLES)[number]

/** What a node id looks like: it is part of file names and of messages, so it is short and plain. */
export const NODE_ID_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** What a node is. */
export const node = {
  /** The repository directory; absolute. */
  dataDir: setting({
    key: 'DataDir',
    description: 'The repository directory: stores, results and the node id lie in it.',
    form: 'path',
    flag: '--repo',
    flagAliases: ['--data-dir'],
    environment: 'BACALHAU_DIR',
    fallback: '~/.bacalhau',
    schema: path(),
    locate: expandPath,
  }),
  /** The id that was given; absent means the one that the repository keeps. */
  nodeId: setting<string | undefined>({
    key: 'NodeID',
    description:
      'The id of this node. Stores are named after it, so another id means other stores. Made once and kept in the repository directory unless given.',
    form: 'text',
    flag: '--node-id',
    flagAliases: ['--name'],
    environment: 'BACALHAU_NODE_ID',
    fallback: undefined,
    fallbackNote: 'made once, kept in the repository directory',
    schema: text(
      'a node id',
      'use 1 to 64 letters, digits, - and _, beginning with a letter or digit',
      NODE_ID_PATTERN,
    ),
  }),
  /** At least one role, each once. */
  roles: setting({
    key: 'Node.Type',
    description:
      'The roles of this node: requester (takes and schedules jobs), compute (runs them), or both.',
    form: 'list',
    flag: '--node-type',
    environment: 'BACALHAU_NODE_TYPE',
    fallback: ['requester', 'compute'],
    schema: list(choice(NODE_ROLES), { min: 1 }),
    held: (given) => NODE_ROLES.filter((role) => given.includes(role)),
  }),
  /** Whether nodes and their requester speak to each other over networks. */
  insecure: setting({
    key: 'Node.Insecure',
    description:
      'Lets the API listen on a network, and nodes and their requester speak over one, although nothing on the way is encrypted and nobody has to prove anything: whoever reaches the port can run jobs, read results, and speak as any node. Without it: within this machine alone, or with TLS and tokens.',
    form: 'boolean',
    flag: '--insecure',
    fallback: false,
    schema: flag(),
  }),
  labels: setting({
    key: 'Node.Labels',
    description: 'Labels of this node, which jobs can ask for.',
    form: 'rules',
    fallback: {},
    schema: keyed(
      /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/,
      text(
        'a label value',
        'use at most 63 letters, digits, dots, - and _',
        /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/,
      ),
    ),
  }),
}
