import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preloadLibrary, RECORDING_DISK } from '@saltcod/store-testing/crash'
import { expect, onTestFinished, test } from 'vitest'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { CutNode } from './cut-node.ts'
import { type Cut, cuts } from './power-cuts.ts'
import { FLAGS, RecordedNode } from './recorded-node.ts'

const SEED = testSeed()
const IMAGES = IS_LONG ? 8_000 : 60
/** One image in so many is what a node finds that is recorded in turn while it recovers. */
const RECOVER_EVERY = IS_LONG ? 320 : 40
const RECOVERY_IMAGES = IS_LONG ? 80 : 16
/** Of a node that brings a repository of schema 1 to this release's. */
const MIGRATION_IMAGES = IS_LONG ? 1_000 : 30
/** One image in so many is given to a whole node. */
const WHOLE_NODE = IS_LONG ? 80 : 40
/** One image in so many says that its owner died, as it did, so that a child checks it first. */
const CHECKED_BY_CHILD = IS_LONG ? 25 : 10
const ROUNDS = IS_LONG ? 8 : 2
const SCHEMA_1 = fileURLToPath(
  new URL('../../../../test/fixtures/schema-1/repository.tar.gz', import.meta.url),
)

const random = randomNumbers(SEED)

/** Images need no disk that keeps them. */
function memoryDirectory(): string {
  if (!existsSync('/dev/shm')) return temporaryDirectory()
  const directory = mkdtempSync('/dev/shm/saltcod-cut-')
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Opens images, and counts what was opened and what was told. */
class Opening {
  readonly counts = new Map<string, number>()
  readonly #parent: string
  readonly #beganMs = Date.now()
  #number = 0

  constructor(parent: string) {
    this.#parent = parent
  }

  async open(kind: string, cut: Cut): Promise<void> {
    this.#number += 1
    const whole = this.#number % WHOLE_NODE === 0
    const closed = this.#number % CHECKED_BY_CHILD !== 0
    const cutNode = new CutNode(this.#parent, cut.image, FLAGS, closed)
    try {
      const expected = { ...cut, place: `seed ${SEED}, ${kind}: ${cut.place}` }
      const notices = whole ? await cutNode.serve(expected) : await cutNode.open(expected)
      for (const what of [kind, ...(whole ? ['nodes'] : []), ...notices]) this.#count(what)
    } finally {
      cutNode.remove()
    }
  }

  /** How often something of this kind was opened, or told. */
  of(what: string): number {
    return this.counts.get(what) ?? 0
  }

  print(when: string): void {
    const seconds = Math.round((Date.now() - this.#beganMs) / 1000)
    const counts = { seed: SEED, seconds, ...Object.fromEntries(this.counts) }
    process.stderr.write(`power cuts ${when}: ${JSON.stringify(counts)}\n`)
  }

  #count(what: string): void {
    this.counts.set(what, this.of(what) + 1)
  }
}

async function recordNode(library: string, parent: string): Promise<RecordedNode> {
  const directory = join(parent, 'disk')
  mkdirSync(directory)
  const recorded = new RecordedNode(library, directory, join(parent, 'record'))
  await recorded.node.start()
  for (let round = 1; round < ROUNDS; round += 1) await recorded.work(String(round))
  await recorded.compact()
  await recorded.work('last')
  expect((await recorded.node.signal('SIGTERM')).code).toBe(0)
  // An image remembers where its stores were.
  rmSync(directory, { recursive: true })
  return recorded
}

async function recordMigration(library: string, parent: string): Promise<RecordedNode> {
  const directory = join(parent, 'migration')
  const repository = join(directory, 'repo')
  mkdirSync(repository, { recursive: true, mode: 0o700 })
  execFileSync('tar', ['-xzf', SCHEMA_1, '-C', repository])
  const recorded = new RecordedNode(library, directory, join(parent, 'record-migration'))
  await recorded.node.start()
  await recorded.noteFound()
  await recorded.node.kill()
  rmSync(directory, { recursive: true })
  return recorded
}

async function recordRecovery(library: string, parent: string, cut: Cut): Promise<RecordedNode> {
  const directory = mkdtempSync(join(parent, 'recovery-'))
  cut.image.write(directory)
  const recorded = new RecordedNode(library, directory, `${directory}-record`, cut.acknowledged)
  await recorded.node.start()
  await recorded.work('recovery')
  await recorded.node.kill()
  rmSync(directory, { recursive: true })
  return recorded
}

test(`whenever the power fails, no job of a node or of its archive is lost, and the node starts (seed ${SEED})`, {
  timeout: IS_LONG ? 7_200_000 : 180_000,
}, async ({ skip }) => {
  const parent = temporaryDirectory()
  const library = preloadLibrary(RECORDING_DISK, parent)
  if (library === undefined) {
    skip('there is no gcc to build the library that records what is written')
    return
  }
  const opening = new Opening(memoryDirectory())
  for (const cut of cuts(await recordMigration(library, parent), MIGRATION_IMAGES, random)) {
    await opening.open('ofMigration', cut)
  }
  for (const cut of cuts(await recordNode(library, parent), IMAGES, random)) {
    await opening.open('ofWork', cut)
    // Between the others, so that a long run that is ended early has had its share of them.
    if (opening.of('ofWork') % RECOVER_EVERY !== 0) continue
    const recovery = await recordRecovery(library, parent, cut)
    for (const second of cuts(recovery, RECOVERY_IMAGES, random)) {
      await opening.open('ofRecovery', { ...second, place: `${cut.place}, then ${second.place}` })
    }
    if (IS_LONG) opening.print('so far')
  }
  opening.print('in all')
  const images = opening.of('ofMigration') + opening.of('ofWork') + opening.of('ofRecovery')
  expect(images).toBeGreaterThan(IS_LONG ? 10_000 : 60)
  expect(opening.of('ofMigration')).toBeGreaterThan(MIGRATION_IMAGES / 2)
  expect(opening.of('ofRecovery')).toBeGreaterThan((Math.floor(IMAGES / RECOVER_EVERY) * RECOVERY_IMAGES) / 2)
  for (const notice of ['MIGRATED', 'OWNER_DIED']) expect(opening.of(notice)).toBeGreaterThan(0)
  if (!IS_LONG) return
  for (const notice of ['ARCHIVE_TAIL_CUT', 'REWRITE_CUT_SHORT'])
    expect(opening.of(notice)).toBeGreaterThan(0)
})
