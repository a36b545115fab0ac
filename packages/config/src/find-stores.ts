import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkOptions } from './did-you-mean.ts'
import { deadLinkAt } from './directory.ts'
import { olderDefaults, otherPath } from './legacy-stores.ts'
import { loneStore, missingArchive, missingStore } from './missing-stores.ts'
import { otherNodes } from './other-nodes.ts'
import { REMEMBERED_STORES_FILE_NAME, readRememberedStores, unreadableMemory } from './remembered-stores.ts'
import type { FindStoresOptions, StoreFinding } from './store-finding.ts'
import { describeRole, type StoreRole } from './store-role.ts'

/**
 * Looks, before any store is opened, for what a node must not start beside in silence: BoltDB files at the
 * paths of the stores, stores at older default paths and at those of earlier starts, stores and an archive that
 * are gone, stores of other node ids. Reads directories and the first bytes of files, never writes, and never
 * throws for what it finds there. Throws `TypeError` for an option that there is not.
 */
export function findStores(options: FindStoresOptions): readonly StoreFinding[] {
  checkOptions('findStores', options, { config: true, nodeId: true, idIsNew: true, fresh: true })
  const { config, nodeId, fresh = false } = options
  const roles = config.roles.map((role) => describeRole(config, nodeId, role))
  const listing = listRepository(config.dataDir)
  if (!('entries' in listing)) return [listing]
  const { entries } = listing
  const remembered = readRememberedStores(config.dataDir)
  const archive = missingArchive(config, remembered, fresh)
  const durable = roles.filter((role) => !role.memory)
  return [
    ...aboutTypes(roles),
    ...samePath(durable),
    ...durable.flatMap(boltAtPath),
    ...roles.flatMap((role) => {
      const found = [
        ...otherPath(role, fresh),
        ...missingStore(config.dataDir, role, remembered, fresh),
        // Where it has had a store, what Bacalhau left is nothing that it would begin beside.
        ...((remembered?.[role.role] ?? []).length > 0
          ? []
          : olderDefaults(config.dataDir, role, entries, fresh)),
      ]
      return found.length > 0 ? found : loneStore(config, nodeId, role, remembered, fresh)
    }),
    ...archive,
    ...spoiltMemory(config.dataDir, durable),
    ...(fresh && archive.length === 0 ? nothingFresh(durable) : []),
    ...otherNodes(options, roles, entries),
    ...(fresh ? freshBegins(durable) : []),
  ]
}

function listRepository(repository: string): { readonly entries: readonly string[] } | StoreFinding {
  try {
    return { entries: readdirSync(repository).sort() }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const dead = code === 'ENOENT' ? deadLinkAt(repository) : undefined
    if (dead !== undefined) return deadRepository(repository, dead)
    if (code === 'ENOENT') return { entries: [] }
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

/** A start that made its stores at the end of the link would begin empty below the volume that is missing. */
function deadRepository(repository: string, link: string): StoreFinding {
  return {
    kind: 'repository-unusable',
    severity: 'refuse',
    paths: [link],
    message: `the repository directory ${repository} is not there: ${link} is a symbolic link that leads nowhere`,
    hint: 'mount the volume that it leads to, correct it, or name another repository with --repo',
  }
}

function aboutTypes(roles: readonly StoreRole[]): StoreFinding[] {
  const findings: StoreFinding[] = []
  const memory = roles.filter((role) => role.memory)
  if (memory.length > 0) {
    const pronoun = memory.length > 1 ? 'them' : 'it'
    findings.push({
      kind: 'memory-forgets',
      severity: 'warn',
      paths: [],
      message: `the ${names(memory)} in memory: a restart forgets everything in ${pronoun}`,
      hint: `use the type lmdb to keep ${pronoun}`,
    })
  }
  const bolt = roles.filter((role) => role.askedForBolt && role.kind !== 'bolt')
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

function names(roles: readonly StoreRole[]): string {
  const words = roles.map(({ word }) => word)
  return words.length > 1 ? `${words.join(' and the ')} are` : `${words.join('')} is`
}

function samePath(roles: readonly StoreRole[]): StoreFinding[] {
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

function boltAtPath(role: StoreRole): StoreFinding[] {
  if (role.kind !== 'bolt') return []
  return [
    {
      kind: 'bolt-at-path',
      severity: 'refuse',
      paths: [role.path],
      message: `a BoltDB file, as Bacalhau writes, lies at the path of the ${role.word}: ${role.path}`,
      hint: `it was left alone: move it aside to keep it, or give the store another path with ${role.pathFlag}`,
    },
  ]
}

/** With its stores there a node goes on, and remembers them anew. */
function spoiltMemory(repository: string, roles: readonly StoreRole[]): StoreFinding[] {
  const unreadable = unreadableMemory(repository)
  if (unreadable === undefined || roles.some(({ kind }) => kind === 'missing')) return []
  const file = join(repository, REMEMBERED_STORES_FILE_NAME)
  return [
    {
      kind: 'memory-spoilt',
      severity: 'warn',
      paths: [file],
      message: `which stores this node has had cannot be read in ${file}: ${unreadable}`,
      hint: 'those that are there are taken for its own, and it is written anew',
    },
  ]
}

/** Says what a start that was asked to begin empty is going to do. */
function freshBegins(roles: readonly StoreRole[]): StoreFinding[] {
  const begun = roles.filter(({ kind }) => kind === 'missing')
  if (begun.length === 0) return []
  const kept = roles.filter(({ kind }) => kind === 'file').map(({ word, path }) => `the ${word} at ${path}`)
  return [
    {
      kind: 'fresh-begins',
      severity: 'warn',
      paths: begun.map(({ path }) => path),
      message: `--fresh begins an empty ${begun.map(({ word, path }) => `${word} at ${path}`).join(' and an empty ')}`,
      hint:
        kept.length === 0
          ? 'nothing that lies elsewhere is touched'
          : `the node goes on with ${kept.join(' and ')}, and nothing that lies elsewhere is touched`,
    },
  ]
}

/** Asked to begin empty, a node must not go on with what it has. */
function nothingFresh(roles: readonly StoreRole[]): StoreFinding[] {
  const there = roles.filter(({ kind }) => kind === 'file')
  if (there.length === 0 || there.length < roles.length) return []
  const stores = there.map(({ word, path }) => `the ${word} at ${path}`)
  return [
    {
      kind: 'nothing-fresh',
      severity: 'refuse',
      paths: there.map(({ path }) => path),
      message: `--fresh begins stores where there are none, and this node has its own: ${stores.join(' and ')}`,
      hint: 'leave --fresh out to go on with them, or begin elsewhere with --repo, or move them aside first',
    },
  ]
}
