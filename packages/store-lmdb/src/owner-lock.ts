import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { join } from 'node:path'

import { removeFile } from './file-removal.ts'
import { foreignError, lockedError, permissionError, systemCode } from './refusal.ts'
import { openSocketDirectory, type SocketDirectory } from './socket-path.ts'

/** How long a living owner has to tell its process id; it counts as alive without. */
const GREETING_MS = 500

/** Starters that keep finding another one in between give up after so many rounds. */
const MAX_ROUNDS = 50

/** How the one before gave the store up. */
export interface PreviousOwner {
  readonly end: 'none' | 'closed' | 'died'
  /** When it closed the store, in milliseconds since 1970 by the clock of the file system; else 0. */
  readonly closedAtMs: number
}

/** Who has a store now: a living owner with its process id if it told it, or how the last one ended. */
export type OwnerState =
  | { readonly alive: true; readonly processId: number | undefined }
  | { readonly alive: false; readonly previous: PreviousOwner }

/**
 * The mark of the one owner of a store: a listening Unix socket in a directory beside it. The kernel closes
 * it with the process, so it needs no process id, host name or clock, and is right across containers.
 *
 * Each owner's socket has the next higher number, taken with an exclusive link once it listens; the highest
 * number is never removed, only renamed to `N.closed` when its owner closes. So whoever links a number and
 * still finds it to be the highest is the only living owner.
 */
export class OwnerLock {
  readonly previous: PreviousOwner
  readonly #directory: string
  readonly #number: number
  readonly #server: Server
  readonly #sockets: SocketDirectory

  private constructor(
    directory: string,
    number: number,
    server: Server,
    sockets: SocketDirectory,
    previous: PreviousOwner,
  ) {
    this.#directory = directory
    this.#number = number
    this.#server = server
    this.#sockets = sockets
    this.previous = previous
  }

  /** Becomes the owner. Throws `STORE_LOCKED` where another one lives, or `STORE_PERMISSION`. */
  static async acquire(directory: string, path: string): Promise<OwnerLock> {
    makeDirectory(directory, path)
    const sockets = openSocketDirectory(directory)
    const name = `.${process.pid}-${randomBytes(6).toString('hex')}`
    let server: Server | undefined
    try {
      server = await listen(sockets.address(name), path)
      chmodSync(join(directory, name), 0o600)
      const { number, previous } = await takeNumber(directory, sockets, name, path)
      await removeOthers(directory, sockets, number)
      return new OwnerLock(directory, number, server, sockets, previous)
    } catch (error) {
      server?.close()
      removeFile(join(directory, name))
      sockets.close()
      throw error
    }
  }

  /** Gives the store up. `clean` says that its file was closed in good order. */
  async release(clean: boolean): Promise<void> {
    if (clean) this.#markClosed()
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    this.#sockets.close()
  }

  #markClosed(): void {
    const own = join(this.#directory, String(this.#number))
    try {
      renameSync(own, `${own}.closed`)
    } catch {
      // Without the mark the next owner checks the file first; and there may be no file any more.
    }
  }
}

/** Finds out who owns a store, without becoming its owner and without writing anything. */
export async function findOwner(directory: string): Promise<OwnerState> {
  const last = highest(directory)
  if (last === undefined || last.closed) return { alive: false, previous: previousOf(directory, last) }
  const sockets = openSocketDirectory(directory)
  try {
    const answer = await call(sockets.address(last.name))
    if (answer !== undefined) return { alive: true, ...answer }
    return { alive: false, previous: previousOf(directory, last) }
  } finally {
    sockets.close()
  }
}

interface NumberedOwner {
  readonly number: number
  readonly name: string
  readonly closed: boolean
}

interface TakenNumber {
  readonly number: number
  readonly previous: PreviousOwner
}

async function takeNumber(
  directory: string,
  sockets: SocketDirectory,
  name: string,
  path: string,
): Promise<TakenNumber> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const last = highest(directory)
    const alive = last === undefined || last.closed ? undefined : await call(sockets.address(last.name))
    if (alive !== undefined) throw lockedError(path, describeOwner(alive.processId))
    const number = (last?.number ?? 0) + 1
    const own = join(directory, String(number))
    if (!linkIfAbsent(join(directory, name), own)) continue
    if (highest(directory)?.number === number) {
      removeFile(join(directory, name))
      return { number, previous: previousOf(directory, last) }
    }
    removeFile(own)
  }
  throw lockedError(path, 'one of several processes that start at once')
}

function previousOf(directory: string, last: NumberedOwner | undefined): PreviousOwner {
  if (last === undefined) return { end: 'none', closedAtMs: 0 }
  if (!last.closed) return { end: 'died', closedAtMs: 0 }
  return { end: 'closed', closedAtMs: lstatSync(join(directory, last.name)).ctimeMs }
}

function describeOwner(processId: number | undefined): string {
  if (processId === undefined) return 'a process that does not answer'
  return processId === process.pid ? `this process (pid ${processId})` : `process ${processId}`
}

/** The socket or closing mark with the highest number; `undefined` where there is none. */
function highest(directory: string): NumberedOwner | undefined {
  let found: NumberedOwner | undefined
  for (const name of listOrNothing(directory)) {
    const digits = /^(\d{1,15})(\.closed)?$/.exec(name)?.[1]
    if (digits === undefined) continue
    const number = Number(digits)
    if (found === undefined || number > found.number) {
      found = { number, name, closed: name.endsWith('.closed') }
    }
  }
  return found
}

/** Removes lower numbers, and sockets of starters that died before they had a number. */
async function removeOthers(directory: string, sockets: SocketDirectory, number: number): Promise<void> {
  for (const name of listOrNothing(directory)) {
    const digits = /^(\d{1,15})(\.closed)?$/.exec(name)?.[1]
    if (digits !== undefined ? Number(digits) >= number : !name.startsWith('.')) continue
    if (digits === undefined && (await call(sockets.address(name))) !== undefined) continue
    removeFile(join(directory, name))
  }
}

function linkIfAbsent(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

function listOrNothing(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

function makeDirectory(directory: string, path: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') {
      throw permissionError(
        path,
        `its directory cannot be written (${systemCode(error) ?? 'unknown error'})`,
        error,
      )
    }
    const found = lstatSync(directory)
    if (!found.isDirectory()) throw foreignError(directory, 'is not the directory of an owner lock')
    const user = process.geteuid?.()
    if (user !== undefined && found.uid !== user) {
      throw permissionError(path, `its owner lock belongs to user ${found.uid}, not to user ${user}`)
    }
  }
}

async function listen(address: string, path: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('finish', () => {
      // Closing the server waits for its callers, so none may stay.
      socket.destroy()
    })
    socket.end(`${process.pid}\n`)
  })
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const hint = 'put the store on a local file system that has Unix sockets and hard links'
      reject(permissionError(path, `its owner lock cannot be made (${systemCode(error) ?? ''})`, error, hint))
    })
    server.listen(address, () => {
      resolve()
    })
  })
  return server
}

interface Answer {
  readonly processId: number | undefined
}

/** Calls the owner of a socket; `undefined` where nobody listens any more. */
async function call(address: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ path: address })
    let greeting = ''
    const finish = (answer: Answer | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const greeted = (): void => {
      const processId = Number.parseInt(greeting, 10)
      finish({ processId: Number.isInteger(processId) ? processId : undefined })
    }
    const timer = setTimeout(greeted, GREETING_MS)
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      greeting += text
    })
    socket.on('end', greeted)
    socket.on('error', (error) => {
      const code = systemCode(error)
      if (code === 'ECONNREFUSED' || code === 'ENOENT') finish(undefined)
      // Whatever else went wrong (no permission, too many callers), somebody may well be there.
      else greeted()
    })
  })
}
