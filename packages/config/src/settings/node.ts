import { expandPath } from '../paths.ts'
import type { Setting } from '../setting.ts'
import { choice, list, path, text } from '../value.ts'

/** What a node can be. */
export const NODE_ROLES = ['requester', 'compute'] as const

/** A part that a node plays. */
export type NodeRole = (typeof NODE_ROLES)[number]

/** Where everything of a node lies. */
export const dataDir: Setting<string> = {
  key: 'DataDir',
  description: 'The repository directory: stores, results and the node id lie in it.',
  form: 'path',
  flag: '--repo',
  flagAliases: ['--data-dir'],
  environment: 'BACALHAU_DIR',
  fallback: '~/.bacalhau',
  schema: path(),
  locate: expandPath,
}

/** What a node id looks like: it is part of file names and of messages, so it is short and plain. */
export const NODE_ID_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** The id of the node. */
export const nodeId: Setting<string | undefined> = {
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
}

/** The roles of the node. */
export const nodeType: Setting<NodeRole[]> = {
  key: 'Node.Type',
  description: 'The roles of this node: requester (takes and schedules jobs), compute (runs them), or both.',
  form: 'list',
  flag: '--node-type',
  environment: 'BACALHAU_NODE_TYPE',
  fallback: ['requester', 'compute'],
  schema: list(choice(NODE_ROLES), { min: 1 }),
}
