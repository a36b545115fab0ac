import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { type FileKind, fileKind } from './file-kind.ts'
import type { NodeRole } from './settings/node.ts'
import { defaultStorePath, STORE_NAMES, type StoreNames, storeConfigOf } from './store-location.ts'

/** What kind of thing was found before the stores are opened. */
export type StoreFindingKind =
  | 'memory-forgets'
  | 'boltdb-means-lmdb'
  | 'repository-unusable'
  | 'same-path'
  | 'bolt-at-path'
  | 'other-path'
  | 'older-default'
  | 'other-node'

/** Something about the stores that an operator must know before the node starts. */
export interface StoreFinding {
  readonly kind: StoreFindingKind
  /** `refuse`: the node must not start; `warn`: it says so and goes on. */
  readonly severity: 'refuse' | 'warn'
  /** What was found, one path or several. */
  readonly paths: readonly string[]
  /** What was found, as a clause without a full stop. */
  readonly message: string
  /** What can be done, without a full stop. */
  readonly hint: string
}

/** What {@link findStores} looks for. */
export interface FindStoresOptions {
  readonly config: Config
  readonly nodeId: string
  /** Start empty even beside older data: what would be refused for that reason is a warning. */
  readonly fresh?: boolean
}

interface Role extends StoreNames {
  readonly memory: boolean
  readonly path: string
  /** Whether the path was configured and is not the default. */
  readonly moved: boolean
  readonly kind: FileKind
}

const FRESH_HINT = 'start with --fresh to begin an empty store beside it'

/**
 * Looks, before any store is opened, for what a node must not start beside in silence: BoltDB files at the
 * paths of the stores, stores at older default paths, stores of other node ids. Reads directories and the
 * first bytes of files, never writes, and never throws for what it finds there.
 */
export function findStores({ config, nodeId, fresh = false }: FindStoresOptions): readonly StoreFinding[] {
  const roles = config.roles.map((role) => describeRole(config, nodeId, role))
  const listing = listRepository(config.dataDir)
  if (!Array.isArray(listing)) return [listing as StoreFinding]
  const entries: readonly string[] = listing
  const durable = roles.filter((role) => !role.memory)
  return [
    ...aboutTypes(config, roles),
    ...samePath(durable),
    ...durable.flatMap(boltAtPath),
    ...roles.flatMap((role) => [
      ...otherPath(config, nodeId, role, fresh),
      ...olderDefaults(config, role, entries, fresh),
    ]),
    ...otherNodes(config, nodeId, roles, entries, fresh),
  ]
}

/** Writes a finding as one line: `what was found; what to do`. */
export function formatFinding({ message, hint }: StoreFinding): string {
  return `${message}; ${hint}`
}

function describeRole(config: Config, nodeId: string, role: NodeRole): Role {
  const { type, path } = storeConfigOf(config, role)
  const usual = defaultStorePath(config.dataDir, nodeId, role)
  const chosen = path ?? usual
  return {
    ...STORE_NAMES[role],
    memory: type === 'memory',
    path: chosen,
    moved: chosen !== usual,
    kind: fileKind(chosen),
  }
}

function listRepository(repository: string): string[] | StoreFinding {
  try {
    return readdirSync(repository).sort()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'ENOENT') return []
    return {
      kind: 'repository-unusable',
      severity: 'refuse',
      paths: [repository],
      message:
        code === 'ENOTDIR'
          ? `the repository directory ${repository} is not a directory`
          : `the repository directory ${repository} cannot be read: ${code}`,
      hint: 'correct it, or name another one with --repo',
    }
  }
}

function aboutTypes(config: Config, roles: readonly Role[]): StoreFinding[] {
  const findings: StoreFinding[] = []
  const memory = roles.filter((role) => role.memory)
  if (memory.length > 0) {
    findings.push({
      kind: 'memory-forgets',
      severity: 'warn',
      paths: [],
      message: `the ${names(memory)} in memory: a restart forgets everything in it`,
      hint: 'use the type lmdb to keep it',
    })
  }
  const bolt = roles.filter((role) => {
    return storeConfigOf(config, role.role).type === 'boltdb' && role.kind !== 'bolt'
  })
  if (bolt.length > 0) {
    findings.push({
      kind: 'boltdb-means-lmdb',
      severity: 'warn',
      paths: bolt.map((role) => role.path),
      message: `the ${names(bolt)} of type boltdb, which means lmdb here`,
      hint: 'set the type to lmdb to be rid of this line',
    })
  }
  return findings
}

function names(roles: readonly Role[]): string {
  const words = roles.map(({ role }) => storeWord(role))
  return words.length > 1 ? `${words.join(' and the ')} are` : `${words.join('')} is`
}

function storeWord(role: NodeRole): string {
  return role === 'compute' ? 'execution store' : 'job store'
}

function samePath(roles: readonly Role[]): StoreFinding[] {
  const [first, second] = roles
  if (first === undefined || second === undefined || first.path !== second.path) return []
  return [
    {
      kind: 'same-path',
      severity: 'refuse',
      paths: [first.path],
      message: `both stores are to lie at ${first.path}`,
      hint: `give one another path with ${second.pathFlag}`,
    },
  ]
}

function boltAtPath(role: Role): StoreFinding[] {
  if (role.kind !== 'bolt') return []
  return [
    {
      kind: 'bolt-at-path',
      severity: 'refuse',
      paths: [role.path],
      message: `a BoltDB file, as Bacalhau writes, lies at the path of the ${storeWord(role.role)}: ${role.path}`,
      hint: `it was left alone: move it aside to keep it, or give the store another path with ${role.pathFlag}`,
    },
  ]
}

function otherPath(config: Config, nodeId: string, role: Role, fresh: boolean): StoreFinding[] {
  const usual = defaultStorePath(config.dataDir, nodeId, role.role)
  if (!(role.moved || role.memory) || (!role.memory && role.kind !== 'missing') || !isThere(usual)) return []
  return [
    {
      kind: 'other-path',
      severity: fresh || role.memory ? 'warn' : 'refuse',
      paths: [usual],
      message: role.memory
        ? `the ${storeWord(role.role)} at ${usual} is not used, because the configured one is in memory`
        : `no ${storeWord(role.role)} is at ${role.path}, but one is at the default path: ${usual}`,
      hint: role.memory
        ? 'use the type lmdb to go on with it'
        : `move it there, leave ${role.pathFlag} out, or ${FRESH_HINT}`,
    },
  ]
}

function olderDefaults(
  config: Config,
  role: Role,
  entries: readonly string[],
  fresh: boolean,
): StoreFinding[] {
  if (!role.memory && role.kind !== 'missing') return []
  const beside = entries.filter((entry) => entry.endsWith(`${role.suffix}.db`))
  const found = [...beside, ...role.olderPaths]
    .map((path) => join(config.dataDir, path))
    .filter((path) => path !== role.path && isThere(path))
  if (found.length === 0) return []
  const bolt = found.some((path) => fileKind(path) === 'bolt')
  return [
    {
      kind: 'older-default',
      severity: fresh || role.memory ? 'warn' : 'refuse',
      paths: found,
      message: `there is no ${storeWord(role.role)} yet, but older ${bolt ? 'BoltDB ' : ''}data of Bacalhau is there: ${found.join(', ')}`,
      hint: `move it aside to keep it, name another repository with --repo, or ${FRESH_HINT}`,
    },
  ]
}

function otherNodes(
  config: Config,
  nodeId: string,
  roles: readonly Role[],
  entries: readonly string[],
  fresh: boolean,
): StoreFinding[] {
  const allRoles = Object.values(STORE_NAMES)
  const known =
    roles.some((role) => !role.memory && role.kind !== 'missing') ||
    allRoles.some(({ role }) => isThere(defaultStorePath(config.dataDir, nodeId, role)))
  if (known) return []
  const ids = new Set<string>()
  const paths: string[] = []
  for (const entry of entries) {
    const names = allRoles.find(({ suffix }) => entry.endsWith(suffix) && entry.length > suffix.length)
    if (names === undefined) continue
    const id = entry.slice(0, -names.suffix.length)
    const path = join(config.dataDir, entry, names.file)
    if (id === nodeId || !isThere(path)) continue
    ids.add(id)
    paths.push(path)
  }
  if (paths.length === 0) return []
  const inMemory = roles.every((role) => role.memory)
  return [
    {
      kind: 'other-node',
      severity: fresh || inMemory ? 'warn' : 'refuse',
      paths,
      message: `node id ${nodeId} has no store in ${config.dataDir}, but other ids have: ${paths.join(', ')}`,
      hint: `give the id that is meant with --node-id (${[...ids].join(', ')}), or ${FRESH_HINT}`,
    },
  ]
}

function isThere(path: string): boolean {
  const kind = fileKind(path)
  return kind !== 'missing' && kind !== 'directory'
}
