import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type FileLayout, layoutOf, orDamaged } from '@saltcod/bacalhau-records'
import { Failure, type Terminal } from '@saltcod/cli-kit'
import { fileKind } from '@saltcod/config'
import { type BoltFile, type BoltSnapshot, openBoltFile } from '@saltcod/store-bolt'
import { isStoreError } from '@saltcod/store-core'
import { EXIT } from '../exit-code.ts'

/** Where releases keep a store below their repository directory, the newest first. */
const PLACES = {
  jobs: ['orchestrator/state_boltdb.db', 'orchestrator_store/jobs.db'],
  executions: ['compute/state_boltdb.db', 'compute_store/executions.db'],
} as const

/** Up to v1.2.1 the directory of a store was named after the node; Bacalhau's notes name the file so. */
const NAMED = { jobs: ['-requester', 'jobs.db'], executions: ['-compute', 'executions.db'] } as const

/** A BoltDB file of Bacalhau that is open for reading. */
export interface BacalhauFile {
  readonly path: string
  readonly bolt: BoltFile
  readonly layout: FileLayout
  /** By its place in a repository, from 0: Bacalhau reads the lowest alone. */
  readonly generation: number
}

/** A file of a requester. */
export type JobsFile = BacalhauFile & { readonly layout: Extract<FileLayout, { kind: 'jobs' }> }

/** A file of a compute node. */
export type ExecutionsFile = BacalhauFile & { readonly layout: Extract<FileLayout, { kind: 'executions' }> }

/** The files of one node of Bacalhau, open for reading; the newest generation of each store comes first. */
export interface BacalhauFiles {
  /** The file or the repository directory that was asked for. */
  readonly path: string
  readonly jobs: readonly JobsFile[]
  readonly executions: readonly ExecutionsFile[]
}

/**
 * Lists the BoltDB files that an argument means; none where it means something else, or cannot be looked at. Where
 * wanted, also those at their places of which this user may not read the first bytes, and what has none of such a file
 * any more and lies where Bacalhau alone keeps one.
 */
export function bacalhauPaths(
  argument: string,
  { withLost = false }: { readonly withLost?: boolean } = {},
): readonly string[] {
  try {
    const path = realpathSync(argument)
    const placed = new Set(
      Object.values(PLACES).flatMap((places) => places.map((place) => join(path, place))),
    )
    const wanted = (file: string): boolean => {
      const what = fileKind(file)
      if (what === 'bolt' || !withLost) return what === 'bolt'
      return what === 'unreadable' || (placed.has(file) && (what === 'file' || what === 'special'))
    }
    return (statSync(path).isDirectory() ? candidatesIn(path) : [path]).filter(wanted)
  } catch {
    return []
  }
}

/**
 * Opens what {@link bacalhauPaths} lists, calls `use`, and closes it again. A file of several that cannot be read ends
 * it, unless `onUnreadable` takes its error. Throws a `Failure` where there is none.
 */
export async function withBacalhauFiles<T>(
  terminal: Terminal,
  argument: string,
  use: (files: BacalhauFiles) => Promise<T>,
  onUnreadable?: (path: string, error: unknown) => void,
): Promise<T> {
  const opened: BoltFile[] = []
  try {
    const files: BacalhauFile[] = []
    const paths = bacalhauPaths(argument, { withLost: true })
    for (const path of paths) {
      try {
        const file = await openOne(path, opened)
        if (file === null)
          terminal.err(`Warning: ${path} is a BoltDB file of another program and is passed over\n`)
        else files.push(file)
      } catch (error) {
        if (onUnreadable === undefined || paths.length === 1) throw error
        onUnreadable(path, error)
      }
    }
    if (files.length === 0) throw noStores(argument)
    const jobs = files.filter((file): file is JobsFile => file.layout.kind === 'jobs')
    const executions = files.filter((file): file is ExecutionsFile => file.layout.kind === 'executions')
    tellGenerations(terminal, jobs)
    return await use({ path: argument, jobs, executions })
  } finally {
    for (const bolt of opened) await bolt.close()
  }
}

/** No release of Bacalhau has as many buckets in the root of a file. */
const MOST_BUCKETS = 1_000

async function openOne(path: string, opened: BoltFile[]): Promise<BacalhauFile | null> {
  const bolt = await openBoltFile(path).catch((error: unknown) => {
    throw isStoreError(error, 'STORE_FOREIGN') ? lostFile(path, 'is no BoltDB file (any more)', error) : error
  })
  opened.push(bolt)
  const names = await bolt.read(({ root }) =>
    [...root.keys({ limit: MOST_BUCKETS })].map(({ key }) => key.toString()),
  )
  const layout = layoutOf(names)
  const generation = generationOf(path)
  if (layout !== null) return { path, bolt, layout, generation }
  if (generation < PLACES.jobs.length) throw lostFile(path, 'has none of the buckets of one (any more)')
  return null
}

/** Whoever passed it by in silence would take a node for one without jobs. */
function lostFile(path: string, what: string, cause?: Error): Failure {
  return new Failure(EXIT.unreadable, `${path} lies where Bacalhau keeps a store, and ${what}`, {
    hint: 'restore a copy of it; to go on without it, move it away, or give another file of the repository alone',
    cause,
  })
}

function generationOf(path: string): number {
  const index = [0, 1].find((place) =>
    [PLACES.jobs, PLACES.executions].some((places) => path.endsWith(`/${places[place]}`)),
  )
  return index ?? PLACES.jobs.length
}

/** Tells whether a file has something; where it is damaged there it has not. */
export async function holds(bolt: BoltFile, has: (snapshot: BoltSnapshot) => boolean): Promise<boolean> {
  const found = await bolt.read((snapshot) =>
    orDamaged(
      () => has(snapshot),
      () => {},
    ),
  )
  return found === true
}

function noStores(argument: string): Failure {
  if (!existsSync(argument)) {
    return new Failure(EXIT.unreadable, `there is nothing at ${argument}`, {
      hint: 'give the repository directory of Bacalhau, or one of its BoltDB files',
    })
  }
  return new Failure(EXIT.unreadable, `there is no store of Bacalhau in ${argument}`, {
    hint: 'give its repository directory, or a file such as orchestrator/state_boltdb.db or jobs.db in it',
  })
}

/** Tells whether several files among these are of requesters, by their places. */
export function hasGenerations(paths: readonly string[]): boolean {
  const ofJobs = (path: string): boolean =>
    PLACES.jobs.some((place) => path.endsWith(place)) || path.endsWith(NAMED.jobs[1])
  return paths.filter(ofJobs).length > 1
}

/** Bacalhau itself sees only the newest after its upgrade. */
function tellGenerations(terminal: Terminal, jobs: readonly BacalhauFile[]): void {
  const newest = Math.min(...jobs.map(({ generation }) => generation))
  const older = jobs.filter(({ generation }) => generation > newest).map(({ path }) => path)
  if (older.length === 0) return
  terminal.err(
    `Note: this repository was upgraded; the jobs of before are in ${older.join(' and ')}, where Bacalhau does not look any more; they are shown too\n`,
  )
}

function candidatesIn(directory: string): readonly string[] {
  const entries = readdirSync(directory).sort()
  const inNode = (['jobs.db', 'executions.db', 'state_boltdb.db'] as const).map((name) =>
    join(directory, name),
  )
  const named = (kind: 'jobs' | 'executions'): string[] => {
    const [suffix, file] = NAMED[kind]
    return entries
      .filter((entry) => entry.endsWith(suffix) || entry.endsWith(`${suffix}.db`))
      .map((entry) => (entry.endsWith('.db') ? join(directory, entry) : join(directory, entry, file)))
  }
  const placed = (kind: 'jobs' | 'executions'): string[] =>
    PLACES[kind].map((place) => join(directory, place))
  return [...inNode, ...placed('jobs'), ...named('jobs'), ...placed('executions'), ...named('executions')]
}
