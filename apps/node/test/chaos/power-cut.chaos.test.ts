import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DiskImage } from '../../../../test/power-cut/disk-image.ts'
import { PowerCutDisk, RECORDING_DISK, type RecordedStep } from '../../../../test/power-cut/power-cut-disk.ts'
import type { Survival } from '../../../../test/power-cut/recorded-file.ts'
import { preloadLibrary } from '../../../../test/preload-library.ts'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { temporaryDirectory } from '../cli/binary.ts'
import { AttackedNode } from './attacked-node.ts'
import { type Acknowledged, CutNode } from './cut-node.ts'

const LONG = process.env['SALTCOD_LONG'] !== undefined
const SEED = Number(process.env['SALTCOD_SEED'] ?? Date.now() % 1_000_000)
const IMAGES = LONG ? 8_000 : 150
/** So many of them are what a node finds that is recorded in turn while it recovers. */
const RECOVERIES = LONG ? 25 : 1
const RECOVERY_IMAGES = LONG ? 80 : 50
/** One image in so many is given to a whole node. */
const WHOLE_NODE = 80
const ROUNDS = LONG ? 8 : 2
/** Beside the repository, so that nothing that is made there syncs the repository. */
const ARCHIVE = '../history/archive'
const CONFIG = { Node: { Requester: { Archive: { Directory: ARCHIVE } } } }
const FLAGS = ['--allow-exec']

const random = randomNumbers(SEED)
const chance = (share: number) => (): boolean => random() < share
const SURVIVALS: readonly Survival[] = [
  { change: () => true, block: () => true },
  { change: () => false, block: () => false },
  { change: chance(0.5), block: () => false },
  { change: chance(0.9), block: chance(0.5) },
  { change: chance(0.3), block: chance(0.8) },
]

/** Images need no disk that keeps them. */
function memoryDirectory(): string {
  if (!existsSync('/dev/shm')) return temporaryDirectory()
  const directory = mkdtempSync('/dev/shm/saltcod-cut-')
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function jobOf(name: string, engine: object, fields: object = {}): object {
  return { Name: name, Type: 'batch', Tasks: [{ Name: 'main', Engine: engine, ...fields }] }
}

/** A node whose writes are recorded, and what it has acknowledged, with the length of the record by then. */
class RecordedNode {
  readonly record: string
  readonly found: DiskImage
  readonly node: AttackedNode
  readonly acknowledged: (Acknowledged & { readonly at: number })[]

  constructor(library: string, directory: string, record: string, known: readonly Acknowledged[] = []) {
    const environment = { LD_PRELOAD: library, RECORD: record, RECORDED_DIRECTORY: directory }
    this.node = new AttackedNode(join(directory, 'repo'), FLAGS, CONFIG, environment)
    this.record = record
    this.found = DiskImage.read(directory)
    this.acknowledged = known.map((fact) => ({ ...fact, at: 0 }))
  }

  #note(id: string, state: string | null): void {
    this.acknowledged.push({ id, state, at: statSync(this.record).size })
  }

  /** Submits jobs, waits for their ends, and lets some go into the archive. */
  async work(round: string): Promise<void> {
    const results = { Publisher: { Type: 'local' }, ResultPaths: [{ Name: 'out', Path: '/out' }] }
    const program = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', 'echo some text'] } }
    const noops = Array.from({ length: 5 }, (_, at) => jobOf(`noop-${round}-${at}`, { Type: 'noop' }))
    const ids = await Promise.all(
      [...noops, jobOf(`program-${round}`, program, results)].map(async (job) => {
        const id = await this.node.submit(job)
        this.#note(id, null)
        return id
      }),
    )
    for (const id of ids) {
      await this.node.until(id, 'Completed')
      this.#note(id, 'Completed')
    }
    const gc = await this.node.request('POST', 'saltcod/gc', { maxCount: 3 })
    assert.equal(gc.status, 200, await gc.text())
  }
}

interface Cut {
  readonly image: DiskImage
  readonly acknowledged: readonly Acknowledged[]
  /** Where it was, for a person who looks for it. */
  readonly place: string
}

/** Yields about so many images: a third spread over what is done to stores, one over the little that is done to the archive, one over all else. */
function* cuts({ record, found, acknowledged }: RecordedNode, wanted: number): Generator<Cut> {
  const placeOf = ({ path }: RecordedStep): 'stores' | 'archive' | 'others' => {
    if (path.startsWith('history')) return 'archive'
    return /\.db(-lock)?$/.test(path) ? 'stores' : 'others'
  }
  const steps = { stores: 0, archive: 0, others: 0 }
  const counting = new PowerCutDisk(record, found)
  for (let step = counting.step(); step !== undefined; step = counting.step()) {
    steps[placeOf(step)] += 1
  }
  const disk = new PowerCutDisk(record, found)
  for (let number = 0, step = disk.step(); step !== undefined; number += 1, step = disk.step()) {
    const share = wanted / 3 / steps[placeOf(step)] / SURVIVALS.length
    for (const [which, survival] of SURVIVALS.entries()) {
      if (random() >= share) continue
      const known = acknowledged.filter(({ at }) => at <= disk.at)
      const place = `seed ${SEED}, record ${number} (${step.what} ${step.names.join(' ')}: ${step.path}), survival ${which}`
      yield { image: disk.image(survival), acknowledged: known, place }
    }
  }
}

test(`whenever the power fails, no job of a node or of its archive is lost, and the node starts (seed ${SEED})`, {
  timeout: LONG ? 7_200_000 : 180_000,
}, async ({ skip }) => {
  const parent = temporaryDirectory()
  const library = preloadLibrary(RECORDING_DISK, parent)
  if (library === undefined) {
    skip('there is no gcc to build the library that records what is written')
    return
  }
  const images = memoryDirectory()
  const directory = join(parent, 'disk')
  mkdirSync(directory)
  const recorded = new RecordedNode(library, directory, join(parent, 'record'))
  await recorded.node.start()
  for (let round = 0; round < ROUNDS; round += 1) await recorded.work(String(round))
  // Last, since what it leaves in a directory that nobody syncs makes each later start look closely.
  await recorded.node.request('POST', 'saltcod/compact')
  expect((await recorded.node.signal('SIGTERM')).code).toBe(0)
  // An image remembers where its stores were.
  rmSync(directory, { recursive: true })

  const opened = { images: 0, nodes: 0, recoveries: 0, ofRecovery: 0, notices: new Map<string, number>() }
  const open = async (cut: Cut, whole: boolean): Promise<void> => {
    const cutNode = new CutNode(images, cut.image, FLAGS)
    try {
      const notices = whole ? await cutNode.serve(cut) : await cutNode.open(cut)
      for (const code of notices) opened.notices.set(code, (opened.notices.get(code) ?? 0) + 1)
    } finally {
      cutNode.remove()
    }
  }
  const toRecover: Cut[] = []
  for (const cut of cuts(recorded, IMAGES)) {
    opened.images += 1
    const whole = opened.images % WHOLE_NODE === 0
    await open(cut, whole)
    if (whole) opened.nodes += 1
    if (random() < (3 * RECOVERIES) / IMAGES || toRecover.length === 0) toRecover.push(cut)
  }
  for (const [number, cut] of toRecover.slice(-RECOVERIES).entries()) {
    const again = join(parent, `recovery-${number}`)
    mkdirSync(again)
    cut.image.write(again)
    const recovery = new RecordedNode(library, again, join(parent, `record-${number}`), cut.acknowledged)
    await recovery.node.start()
    await recovery.work(`recovery-${number}`)
    await recovery.node.kill()
    rmSync(again, { recursive: true })
    opened.recoveries += 1
    for (const second of cuts(recovery, RECOVERY_IMAGES)) {
      await open({ ...second, place: `${cut.place}, then ${second.place}` }, false)
      opened.ofRecovery += 1
    }
  }
  const { notices, ...figures } = opened
  process.stderr.write(
    `power cuts: ${JSON.stringify({ seed: SEED, ...figures, ...Object.fromEntries(notices) })}\n`,
  )
  expect(opened.images).toBeGreaterThan(IMAGES / 2)
  expect(opened.ofRecovery).toBeGreaterThan((RECOVERIES * RECOVERY_IMAGES) / 2)
})
