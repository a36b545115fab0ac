import { join } from 'node:path'
import { writeWhole } from '../../compute/keeper/exit-record.ts'
import { readNote } from '../../compute/keeper/work-files.ts'
import type { ImageCounts } from '../engine.ts'
import { pathOf } from './images.ts'
import { listOf, objectOf, textOf } from './said.ts'
import { hasStatus, type SocketApi, SocketError } from './socket-api.ts'

/** An image that the engine has fetched. */
interface PulledImage {
  /** What its name meant then; by another meaning somebody else has given it one. */
  readonly id: string
  readonly usedAtMs: number
}

/** How long images are kept that no job uses. */
export interface ImageRules {
  /** Since a job used it last; 0 for as long as there is room. */
  readonly keepForMs: number
  /** Of all that the engine has fetched together; 0 for no limit. */
  readonly maxBytes: number
}

interface InspectedImage {
  readonly Id: string
  readonly Size: number
}

/**
 * The images that the engine has fetched itself, on record in the directory of the node. Only these are ever removed,
 * so what an operator has put there stays; where the record is lost, all stay.
 */
export class PulledImages {
  readonly #file: string
  readonly #images: Map<string, PulledImage>
  /** Those that a container is being made of, and for how many. */
  readonly #inHand = new Map<string, number>()

  #fetched = 0
  #removed = 0

  /** Takes the directory of the node. */
  constructor(dataDir: string) {
    this.#file = join(dataDir, 'pulled-images.json')
    this.#images = readImages(this.#file)
  }

  /** How many there are, and what was done since the start. */
  get counts(): ImageCounts {
    return { kept: this.#images.size, fetched: this.#fetched, removed: this.#removed }
  }

  /** Keeps an image from removal while a container is made of it. */
  async holding<T>(image: string, make: () => Promise<T>): Promise<T> {
    this.#inHand.set(image, (this.#inHand.get(image) ?? 0) + 1)
    try {
      return await make()
    } finally {
      const left = (this.#inHand.get(image) ?? 1) - 1
      if (left > 0) this.#inHand.set(image, left)
      else this.#inHand.delete(image)
    }
  }

  /** Notes that an image is used, and that it was fetched if nobody else had put it there. */
  async note(api: SocketApi, image: string, { isOwn, nowMs }: UseOptions): Promise<void> {
    if (isOwn) this.#fetched += 1
    if (!isOwn && !this.#images.has(image)) return
    const found = await inspectImage(api, image)
    if (found === undefined) return
    if (!isOwn && this.#images.get(image)?.id !== found.Id) this.#images.delete(image)
    else this.#images.set(image, { id: found.Id, usedAtMs: nowMs })
    this.#write()
  }

  /** Removes what the rules no longer keep, never what a container is of. Answers with the names. */
  async collect(
    api: SocketApi,
    { keepForMs, maxBytes }: ImageRules,
    nowMs: number,
  ): Promise<readonly string[]> {
    if (this.#images.size === 0) return []
    const inUse = await imagesInUse(api)
    const idle: { readonly image: string; readonly usedAtMs: number; readonly bytes: number }[] = []
    let bytes = 0
    for (const [image, { id, usedAtMs }] of this.#images) {
      const found = await inspectImage(api, image)
      if (found === undefined || found.Id !== id) this.#images.delete(image)
      else {
        bytes += found.Size
        if (inUse.has(bareId(id))) this.#images.set(image, { id, usedAtMs: nowMs })
        else idle.push({ image, usedAtMs, bytes: found.Size })
      }
    }
    const removed: string[] = []
    for (const one of idle.toSorted((a, b) => a.usedAtMs - b.usedAtMs)) {
      const isOld = keepForMs > 0 && nowMs - one.usedAtMs > keepForMs
      if (!isOld && (maxBytes === 0 || bytes <= maxBytes)) continue
      if (this.#inHand.has(one.image) || !(await removeImage(api, one.image))) continue
      bytes -= one.bytes
      this.#images.delete(one.image)
      this.#removed += 1
      removed.push(one.image)
    }
    this.#write()
    return removed
  }

  #write(): void {
    writeWhole(this.#file, JSON.stringify(Object.fromEntries(this.#images)))
  }
}

/** How an image is used. */
export interface UseOptions {
  /** It was not there before the engine fetched it. */
  readonly isOwn: boolean
  readonly nowMs: number
}

function readImages(file: string): Map<string, PulledImage> {
  try {
    const images = Object.entries(JSON.parse(readNote(file)) as Record<string, Partial<PulledImage>>)
    return new Map(
      images.flatMap(([image, { id, usedAtMs }]) =>
        typeof id === 'string' && typeof usedAtMs === 'number' ? [[image, { id, usedAtMs }] as const] : [],
      ),
    )
  } catch {
    return new Map()
  }
}

async function inspectImage(api: SocketApi, image: string): Promise<InspectedImage | undefined> {
  try {
    const { Id, Size } = objectOf(await api.ask<unknown>({ path: `/images/${pathOf(image)}/json` }))
    if (typeof Id === 'string' && typeof Size === 'number' && Size >= 0) return { Id, Size }
    throw new SocketError(0, `${api.socketPath} tells of an image what says nothing of it`)
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    throw error
  }
}

async function imagesInUse(api: SocketApi): Promise<ReadonlySet<string>> {
  const containers = await api.ask<unknown>({ path: '/containers/json', query: { all: '1' } })
  if (!Array.isArray(containers))
    throw new SocketError(0, `${api.socketPath} does not tell which containers there are`)
  return new Set(listOf(containers).map((one) => bareId(textOf(objectOf(one)['ImageID']))))
}

/** Docker writes the algorithm before an id, Podman does not everywhere. */
function bareId(id: string): string {
  return id.replace(/^sha256:/, '')
}

/** Answers with whether it is gone; what a container is of stays, whoever has made that a moment ago. */
async function removeImage(api: SocketApi, image: string): Promise<boolean> {
  try {
    await api.ask({ method: 'DELETE', path: `/images/${pathOf(image)}` })
    return true
  } catch (error) {
    if (hasStatus(error, 404)) return true
    if (hasStatus(error, 409)) return false
    throw error
  }
}
