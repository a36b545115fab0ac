import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import {
  ensureNodeId,
  fileKind,
  listStores,
  makeDirectory,
  makeNodeId,
  NODE_ID_FILE_NAME,
  NODE_ID_PATTERN,
  readNodeId,
} from '@saltcod/config'
import { EXIT } from '../exit-code.ts'
import { freePath } from '../store/new-store.ts'
import { syncPath } from '../store/sync-path.ts'
import { announceWork, PUBLISHING } from '../unfinished-work.ts'

/** How the directory begins in which the stores are made; its process and when that began follow. */
const WORK_PREFIX = '.bacalhau-import-'

/** The two stores by their files. */
export const STORE_FILES = { jobs: 'jobs.db', executions: 'executions.db' } as const

/** Every note as a line of JSON. */
export const NOTES_FILE = 'bacalhau-import-notes.ndjson'

/** Ids that the node may have whose stores are made. */
export interface NodeIds {
  /** The one that is asked for. */
  readonly given: string | undefined
  /** What the files of Bacalhau say; `null` where they say nothing. */
  readonly ofBacalhau: string | null
}

/** Where an import puts its stores. */
export interface ImportPlace {
  readonly repository: string
  readonly nodeId: string
  /** The directory in which they are made, on the same file system. */
  readonly work: string
  readonly paths: { readonly jobs: string; readonly executions: string }
  /** Directories that were not there before, the innermost first. */
  readonly made: readonly string[]
}

/**
 * Looks at the repository that is to be made, and clears what an import left there that was cut short. Throws a
 * `Failure` where there are stores, or nothing can be written.
 */
export function openPlace(to: string, ids: NodeIds): ImportPlace {
  const repository = resolve(to)
  refuseOther(repository)
  refuseBadId(ids)
  const work = join(repository, ownWorkName())
  const made = missingIn([repository])
  try {
    makeDirectory(repository)
    clearLeftovers(repository)
    refuseStores(repository)
    const id = chooseId(repository, ids)
    makeWork(work)
    // Another import may have come in between, and even have ended.
    refuseOtherImports(repository)
    refuseStores(repository)
    const paths = storePaths(repository, id)
    const ofStores = missingIn(Object.values(paths).map(dirname))
    return { repository, nodeId: id, work, paths, made: [...ofStores, ...made] }
  } catch (error) {
    clearWork({ work, made })
    throw placeError(repository, error)
  }
}

/** Looks at the repository without making it; the stores are made in a directory of its own beside it. */
export function openDryPlace(to: string, ids: NodeIds): ImportPlace {
  const repository = resolve(to)
  refuseOther(repository)
  refuseBadId(ids)
  if (existsSync(repository)) refuseStores(repository)
  const id = chooseId(repository, ids)
  let parent = repository
  while (!existsSync(parent)) parent = dirname(parent)
  const work = join(parent, ownWorkName())
  try {
    clearLeftovers(parent)
    makeWork(work)
  } catch (error) {
    throw placeError(parent, error)
  }
  return { repository, nodeId: id, work, paths: storePaths(repository, id), made: [] }
}

/** Whoever started this process removes the directory where this one cannot, as after Ctrl-C. */
function makeWork(path: string): void {
  announceWork(path)
  mkdirSync(path, { mode: 0o700 })
}

/** Removes what was made for an import, and the directories that it made and put nothing into. */
export function clearWork({ work, made }: Pick<ImportPlace, 'work' | 'made'>): void {
  rmSync(work, { recursive: true, force: true })
  for (const directory of made) {
    try {
      rmdirSync(directory)
    } catch {
      // Something is in it, or it was never made.
    }
  }
}

/** Which of some directories, and of those above them, are not there; the innermost first. */
function missingIn(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => (existsSync(path) ? [] : [path, ...missingIn([dirname(path)])]))
}

/**
 * Gives the stores and the notes their places. That is one step for whoever looks on: a file says before that it has
 * begun, and an import that finds it takes back what was done until then, as this one does where it fails. Throws a
 * `Failure`, and leaves all as it is, where somebody made stores or settled another node id meanwhile.
 */
export function publish(place: ImportPlace): void {
  const { repository, nodeId, work } = place
  refuseStores(repository)
  const hadId = existsSync(join(repository, NODE_ID_FILE_NAME))
  settleId(repository, nodeId)
  try {
    givePlaces(place)
  } catch (error) {
    if (takeBack(work, repository) && !hadId) rmSync(join(repository, NODE_ID_FILE_NAME), { force: true })
    throw error
  }
}

function givePlaces({ repository, work, paths }: ImportPlace): void {
  writeFileSync(join(work, PUBLISHING), '', { mode: 0o600, flag: 'wx' })
  for (const name of [...Object.values(STORE_FILES), PUBLISHING]) syncPath(join(work, name))
  syncPath(work)
  const notes = join(work, NOTES_FILE)
  if (existsSync(notes)) {
    syncPath(notes)
    // An earlier import may have left others.
    rmSync(join(repository, NOTES_FILE), { force: true })
    linkSync(notes, join(repository, NOTES_FILE))
  }
  // The job store comes last: as long as it is missing no node starts.
  for (const kind of ['executions', 'jobs'] as const) {
    const path = paths[kind]
    makeDirectory(dirname(path))
    linkSync(join(work, STORE_FILES[kind]), freePath(path))
    syncPath(dirname(path))
  }
  rmSync(join(work, PUBLISHING))
  syncPath(work)
}

/** Throws a `Failure` where another import is under way. */
function refuseOtherImports(directory: string, works: readonly string[] = worksIn(directory)): void {
  for (const entry of works) {
    const [pid = '', start = ''] = entry.slice(WORK_PREFIX.length).split('-')
    if (entry === ownWorkName() || !isAlive(Number(pid), start)) continue
    throw new Failure(EXIT.usage, `another import is under way in ${directory} (process ${pid})`, {
      hint: 'wait until it is over',
    })
  }
}

function worksIn(directory: string): readonly string[] {
  return readdirSync(directory).filter((entry) => entry.startsWith(WORK_PREFIX))
}

/** Another import may be under way; of one that died nothing may stay. */
function clearLeftovers(directory: string): void {
  const works = worksIn(directory)
  refuseOtherImports(directory, works)
  for (const entry of works) {
    const work = join(directory, entry)
    if (existsSync(join(work, PUBLISHING))) takeBack(work, directory)
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * What bears the same inode as a file of the import is its own; where all of it was done a node may have it by now.
 * Returns whether nothing is there any more.
 */
function takeBack(work: string, repository: string): boolean {
  const inodes = new Set(
    [...Object.values(STORE_FILES), NOTES_FILE].flatMap((name) => inodeOf(join(work, name)) ?? []),
  )
  const stores = listStores(repository).filter(({ path }) => inodes.has(inodeOf(path) ?? -1))
  if (stores.length === Object.keys(STORE_FILES).length) return false
  for (const path of [...stores.map((store) => store.path), join(repository, NOTES_FILE)]) {
    if (inodes.has(inodeOf(path) ?? -1)) rmSync(path)
  }
  return true
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

function ownWorkName(): string {
  return `${WORK_PREFIX}${process.pid}-${startOf(process.pid) ?? 0}`
}

/** When a process began, in ticks; `null` where it has ended, `undefined` where the system does not say. */
function startOf(pid: number): string | null | undefined {
  try {
    // The name of the program, in brackets, may have spaces and brackets of its own.
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '')
    // One that was killed stays until somebody has asked for its end.
    return /^[ZX]/.test(text) ? null : text.split(' ')[TICKS_AT]
  } catch {
    return undefined
  }
}

/** `starttime` of proc(5), behind the pid and the name. */
const TICKS_AT = 19

/** A number that another process has by now is that of nobody who imports. */
function isAlive(pid: number, start: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  const now = startOf(pid)
  if (now !== undefined) return now === start
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function refuseOther(repository: string): void {
  let parent = repository
  while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent)
  if (statSync(parent).isDirectory()) return
  throw new Failure(EXIT.usage, `${parent} is no directory`, {
    hint: 'name with --to the directory that the stores are to be made in',
  })
}

function refuseStores(repository: string): void {
  const own = listStores(repository).filter(({ path }) => fileKind(path) !== 'bolt')
  const [first] = own
  if (first === undefined) return
  throw new Failure(
    EXIT.usage,
    `${repository} has stores already: ${own.map(({ path }) => path).join(', ')}`,
    {
      hint: 'name another directory with --to; nothing is ever merged or overwritten',
    },
  )
}

function settleId(repository: string, nodeId: string): void {
  const settled = ensureNodeId(repository, nodeId)
  if ('problem' in settled)
    throw new Failure(EXIT.usage, settled.problem.problem, {
      hint: 'name a directory with --to that this user may write to, on a disk with room',
    })
  if (settled.nodeId === nodeId) return
  throw new Failure(
    EXIT.usage,
    `${repository} has become that of another node meanwhile: ${settled.nodeId}`,
    {
      hint: 'look at what else works there, then import again',
    },
  )
}

function refuseBadId({ given }: NodeIds): void {
  if (given === undefined || NODE_ID_PATTERN.test(given)) return
  throw new Failure(EXIT.usage, `${JSON.stringify(given)} is no node id`, {
    hint: 'give the id that the node is started with, or leave --node-id out to take that of Bacalhau',
  })
}

/** The id that is asked for, or kept there, or that of Bacalhau's node unless its files lie where the stores would. */
function chooseId(repository: string, { given, ofBacalhau }: NodeIds): string {
  const kept = existsSync(repository) ? readNodeId(repository) : { nodeId: undefined }
  if ('problem' in kept)
    throw new Failure(EXIT.usage, `the node id in ${repository} cannot be read: ${kept.problem.problem}`)
  const settled = given ?? kept.nodeId
  const inTheWay = (id: string): string | undefined =>
    Object.values(storePaths(repository, id)).find((path) => existsSync(path))
  if (settled === undefined) {
    const fits = ofBacalhau !== null && NODE_ID_PATTERN.test(ofBacalhau) && inTheWay(ofBacalhau) === undefined
    return fits ? ofBacalhau : makeNodeId()
  }
  const other = inTheWay(settled)
  if (other === undefined) return settled
  throw new Failure(EXIT.usage, `a file lies where a store of node ${settled} would: ${other}`, {
    hint: 'name another directory with --to; nothing is ever overwritten',
  })
}

function storePaths(repository: string, id: string): ImportPlace['paths'] {
  return {
    jobs: join(repository, `${id}-requester`, STORE_FILES.jobs),
    executions: join(repository, `${id}-compute`, STORE_FILES.executions),
  }
}

function placeError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (error instanceof Failure || code === undefined) return error
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
  }
  return new Failure(EXIT.usage, `${path} cannot be written: ${words[code] ?? code}`, {
    hint: 'name a directory with --to that this user may write to; run as the user of the node',
    cause: error,
  })
}
