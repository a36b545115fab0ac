import { lstatSync } from 'node:fs'
import { isStoreError } from '@saltcod/store-core'
import type { KvStore } from '@saltcod/store-core/backend'
import { probeDataFile, probeLockFile } from '../file/file-probe.ts'
import { DEFAULT_LOW_SPACE_BYTES, DEFAULT_MAP_BYTES } from '../file/free-space.ts'
import { extendLockFile, makeLockFile } from '../file/reader-table.ts'
import { isSwapping } from '../file/rewrite-path.ts'
import { checkDataFile, checkLockFile, resolveStorePath, type StorePath } from '../file/store-path.ts'
import { walkPages } from '../file/suspect-walk.ts'
import { LmdbKv } from '../lmdb-kv.ts'
import { type Environment, openEnvironment } from '../native/environment.ts'
import { checkInChild } from '../native/native-check.ts'
import { PrivateLock } from '../native/private-lock.ts'
import { isOpenHere, openShared, type SharedEnvironment } from '../native/shared-environment.ts'
import { findOwner, OwnerLock, type PreviousOwner, refuseOwnerWithoutFile } from '../owner/owner-lock.ts'
import { ResidentPages } from '../read/resident-pages.ts'
import { awaitSwap, identityOf, SwapFollower } from '../read/swap-follower.ts'
import { explained, lockedError, nativeError, notFoundError } from '../refusal.ts'
import { type CutRewrite, recoverRewrite } from '../rewrite/swap-recovery.ts'
import { Reserve, type ReserveOptions } from '../write/reserve.ts'
import { createStore, removeLeftovers } from './creation.ts'
import { checkOpeningOptions, checkPath, type LmdbKvOptions, type LmdbNotice } from './opening-options.ts'

/** More pages than the making of tables takes. */
const NEW_TABLE_PAGES = 256

/** Starters that keep finding another file at the path give up after so many rounds. */
const MAX_ROUNDS = 50

/**
 * Opens an LMDB file as a key-value store. Resolves when it is ready to use. Rejects with `STORE_NOT_FOUND`,
 * `STORE_FOREIGN`, `STORE_DAMAGED`, `STORE_LOCKED`, `STORE_PERMISSION`, `STORE_BUSY`, `STORE_FULL` or `STORE_FAILED`;
 * in each of these cases a file at the path was left as it was. Throws `TypeError` for options that are none.
 */
export async function openLmdbKv(options: LmdbKvOptions): Promise<KvStore> {
  checkOpeningOptions(options)
  const readOnly = options.readOnly === true
  const create = !readOnly && options.create !== false
  const paths = resolveStorePath(options.path, create)
  try {
    const exists = checkDataFile(paths.data, readOnly)
    if (!exists && !create) throw notFoundError(paths.data)
    return await (readOnly ? openForReading(paths, options) : openForWriting(paths, options))
  } catch (error) {
    throw explained(paths.data, 'it cannot be opened', error)
  }
}

/**
 * Looks at the files of a store as an opening for writing does first, without LMDB and without writing.
 * Does nothing where no file is there. Throws `STORE_FOREIGN`, `STORE_DAMAGED` or `STORE_PERMISSION`.
 */
export function probeLmdbStore(path: string): void {
  checkPath(path)
  let paths: StorePath
  try {
    paths = resolveStorePath(path, false)
  } catch (error) {
    // Without its directory there is no file either.
    if (isStoreError(error, 'STORE_NOT_FOUND')) return
    throw error
  }
  if (checkDataFile(paths.data, false) && !isOpenHere(paths.data)) probe(paths, false)
}

async function openForReading(paths: StorePath, options: LmdbKvOptions): Promise<KvStore> {
  await awaitSwap(paths)
  const shared = await openShared(paths.data, async () => {
    probe(paths, true)
    const owner = findOwner(paths)
    const isClosed = owner.alive || isClean(paths, owner.previous)
    if (!owner.alive && options.scratchDirectory !== undefined) {
      const unlocked = await openUnlocked(paths, options, options.scratchDirectory, isClosed)
      if (unlocked !== undefined) return unlocked
    }
    // Before the check: LMDB in the child would make it as this user's own.
    ensureLockFile(paths)
    if (!isClosed) await checkInChild(paths.data)
    const identity = identityOf(paths)
    const environment = await openNative(paths, options, true)
    followSwaps(paths, environment, identity, residentPagesOf(options))
    return environment
  })
  return usingShare(paths, shared, () => {
    shared.environment.openTables(options.tables)
    return new LmdbKv({
      environment: shared.environment,
      tables: new Set(options.tables),
      releaseEnvironment: shared.release,
    })
  })
}

function ensureLockFile(paths: StorePath): void {
  if (!checkLockFile(paths, true)) makeLockFile(paths, true)
}

/** Keeps a reader on the file that is at its path, and little of it in its memory. */
function followSwaps(
  paths: StorePath,
  environment: Environment,
  opened: string,
  resident: ResidentPages | null,
): SwapFollower {
  const follower = new SwapFollower(paths, environment, opened)
  environment.beforeRefresh(() => {
    follower.follow()
    if (resident?.areTooMany === true) follower.unmap()
  })
  return follower
}

function residentPagesOf({ maxResidentBytes }: LmdbKvOptions): ResidentPages | null {
  return maxResidentBytes === undefined ? null : new ResidentPages(maxResidentBytes)
}

/** Opens a file that has no owner without its lock file; `undefined` where somebody began to change it meanwhile. */
async function openUnlocked(
  paths: StorePath,
  options: LmdbKvOptions,
  directory: string,
  isClosed: boolean,
): Promise<Environment | undefined> {
  const privateLock = new PrivateLock(paths, directory)
  let environment: Environment
  try {
    if (!isClosed) await checkInChild(paths.data, privateLock.path)
    environment = await openNative(paths, options, true, privateLock)
  } catch (error) {
    privateLock.remove()
    throw error
  }
  if (environment.isOutrun) {
    await environment.close()
    return undefined
  }
  const resident = residentPagesOf(options)
  environment.beforeRefresh(() => {
    // A copy that is being written needs the file that is open, and tells by itself that it was overtaken.
    if (environment.copies.isBusy) return
    if (environment.isOutrun) {
      ensureLockFile(paths)
      environment.leavePrivateLock()
      // It knows of nothing that is open, so it opens what is there.
      followSwaps(paths, environment, '', resident).follow()
    } else if (resident?.areTooMany === true) {
      environment.closeNow()
      environment.reopen()
    }
  })
  return environment
}

async function openForWriting(paths: StorePath, options: LmdbKvOptions): Promise<KvStore> {
  const limits = limitsOf(options)
  const { lock, isNew } = await becomeOwner(paths, options, limits)
  let clean = false
  try {
    const cut = await recoverRewrite(paths, lock)
    if (cut !== undefined) options.onNotice?.(noticeOf(paths, cut))
    removeLeftovers(paths)
    clean = isNew || isClean(paths, lock.previous)
    const shared = await openShared(paths.data, async () => {
      probe(paths, false)
      await prove(paths, lock, clean)
      clean = true
      if (checkLockFile(paths, false)) extendLockFile(paths)
      else makeLockFile(paths, false)
      return openNative(paths, options, false)
    })
    return await takeOver(paths, options, lock, shared, limits)
  } catch (error) {
    lock.release(clean)
    throw error
  }
}

/** Looks at a file as closely as what is known of it asks for, in a child with LMDB and here without. */
async function prove(paths: StorePath, lock: OwnerLock, isClean: boolean): Promise<void> {
  const child = isClean ? Promise.resolve() : checkInChild(paths.data)
  // The walk names the page on which the child may have ended, so its error goes first.
  const childEnd = child.catch(() => undefined)
  try {
    const walked = await walkPages(paths.data, isClean, lock.pages)
    await child
    if (walked !== undefined) lock.walked(walked)
  } finally {
    await childEnd
  }
}

interface NewOwner {
  readonly lock: OwnerLock
  /** Whether the store has just been made. */
  readonly isNew: boolean
}

/** Locks the file of a store, or makes one that is locked. */
async function becomeOwner(
  paths: StorePath,
  options: LmdbKvOptions,
  limits: ReserveOptions,
): Promise<NewOwner> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const swapping = isSwapping(paths)
    const exists = checkDataFile(paths.data, false)
    // Before the lock too: beside a file that is refused, nothing may be written.
    if (exists && !swapping && !isOpenHere(paths.data)) probe(paths, false)
    if (exists || swapping) {
      const lock = OwnerLock.tryTake(paths)
      if (lock !== undefined) return { lock, isNew: false }
    }
    if (exists || checkDataFile(paths.data, false)) continue
    if (options.create === false) throw notFoundError(paths.data)
    refuseOwnerWithoutFile(paths)
    const file = await createStore(paths, options.tables, mapBytesOf(options), limits)
    if (file !== undefined) return { lock: OwnerLock.with(paths, file), isNew: true }
  }
  throw lockedError(paths.data, 'one of several processes that start at once')
}

async function takeOver(
  paths: StorePath,
  options: LmdbKvOptions,
  lock: OwnerLock,
  shared: SharedEnvironment,
  limits: ReserveOptions,
): Promise<KvStore> {
  const { environment } = shared
  const store = await usingShare(paths, shared, () => {
    if (environment.readOnly) {
      throw lockedError(paths.data, 'this process, which has it open for reading; close that first')
    }
    const reserve = new Reserve(paths.data, environment.pageBytes, environment.lastPage() + 1, limits)
    try {
      reserve.settle(environment.lastPage() + 1, 0)
      openOwnTables(environment, reserve, options.tables)
    } catch (error) {
      reserve.close()
      throw error
    }
    if (lock.previous.end === 'died') {
      const message = `The process that had ${paths.data} before did not close it; the file was checked and is sound.`
      options.onNotice?.({ code: 'OWNER_DIED', message })
    }
    return new LmdbKv({
      environment,
      tables: new Set(options.tables),
      releaseEnvironment: shared.release,
      ownership: {
        lock,
        reserve,
        paths,
        mapBytes: mapBytesOf(options),
        threadUse: options.commitThread ?? 'never',
      },
    })
  })
  await store.begun()
  return store
}

function noticeOf(paths: StorePath, cut: CutRewrite): LmdbNotice {
  const ends: Readonly<Record<CutRewrite, string>> = {
    undone: 'it had not taken effect, and its copy was removed',
    completed: 'its new file is whole and was kept',
    restored: 'its new file was not whole, and the old one was put back',
  }
  const message = `A rewrite of ${paths.data} was cut short: ${ends[cut]}; nothing is lost.`
  return { code: 'REWRITE_CUT_SHORT', message }
}

function openOwnTables(environment: Environment, reserve: Reserve, tables: readonly string[]): void {
  const missing = environment.openTables(tables)
  if (missing.length === 0) return
  reserve.ensure(NEW_TABLE_PAGES, true, () => 0)
  environment.makeTables(missing)
  reserve.settle(environment.lastPage() + 1, 0)
}

/** Gives the share in an environment back where the last step of an opening fails. */
async function usingShare<Store extends KvStore>(
  paths: StorePath,
  shared: SharedEnvironment,
  body: () => Store,
): Promise<Store> {
  try {
    return body()
  } catch (error) {
    await shared.release()
    throw nativeError(paths.data, 'LMDB cannot open its tables', error)
  }
}

/** Whether the last owner closed the file in good order and nobody has touched it since. */
function isClean(paths: StorePath, previous: PreviousOwner): boolean {
  return lstatSync(paths.data, { bigint: true }).ctimeNs === previous.changedNs
}

/** Everything that can be known about the files without LMDB. */
function probe(paths: StorePath, readOnly: boolean): void {
  probeDataFile(paths.data)
  if (checkLockFile(paths, readOnly)) probeLockFile(paths.lock)
}

async function openNative(
  paths: StorePath,
  options: LmdbKvOptions,
  readOnly: boolean,
  privateLock?: PrivateLock,
): Promise<Environment> {
  return openEnvironment({
    path: paths.data,
    readOnly,
    mapBytes: mapBytesOf(options),
    privateLock,
  })
}

function limitsOf(options: LmdbKvOptions): ReserveOptions {
  return {
    quotaBytes: options.quotaBytes ?? Number.MAX_SAFE_INTEGER,
    lowSpaceBytes: options.lowSpaceBytes ?? DEFAULT_LOW_SPACE_BYTES,
  }
}

/** A map below the file's length would have to grow at once. */
function mapBytesOf(options: LmdbKvOptions): number {
  return options.mapBytes ?? DEFAULT_MAP_BYTES
}
