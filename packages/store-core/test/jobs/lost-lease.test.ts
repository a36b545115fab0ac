import { expect, test } from 'vitest'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { openJobStore, STORE_TABLES } from '../../src/backend.ts'
import type { Claim, JobStore } from '../../src/index.ts'

/** A store whose process can die: whoever opens the backend anew finds what the one before left. */
class Mortal {
  nowMs = 1_000
  store!: JobStore
  readonly #kv = openMemoryKv({ tables: STORE_TABLES })

  static async open(): Promise<Mortal> {
    const mortal = new Mortal()
    await mortal.die()
    return mortal
  }

  /** Opens the store anew without closing it. */
  async die(): Promise<void> {
    this.store = await openJobStore(this.#kv, { clock: () => this.nowMs })
  }

  async submit(name: string): Promise<void> {
    this.nowMs += 1
    await this.store.submitJob({ id: `j-${name}`, name, type: 'batch', spec: {} })
  }

  async claim(scheduler = false): Promise<Claim | null> {
    return await this.store.claimEvaluation({
      holder: 'worker',
      leaseMs: 3_600_000,
      maxAttempts: 3,
      ...(scheduler ? { scheduler } : {}),
    })
  }

  async claimed(): Promise<Claim> {
    const claim = await this.claim()
    if (claim === null) throw new Error('nothing is due')
    return claim
  }
}

const nameOf = ({ evaluation }: Claim): string => evaluation.jobId.slice(2)

test('one that was claimed alone at each death fails as lost, its job with it, and was no attempt', async () => {
  const mortal = await Mortal.open()
  await mortal.submit('killer')
  for (let loss = 0; loss < 3; loss++) {
    const { evaluation } = await mortal.claimed()
    expect(evaluation).toMatchObject({ attempt: 1, lostLeases: loss })
    await mortal.die()
  }
  expect(await mortal.claim()).toBeNull()
  const [evaluation] = (await mortal.store.listEvaluations({ jobId: 'j-killer' })).items
  expect(evaluation).toMatchObject({ status: 'failed', attempt: 0, lostLeases: 3 })
  expect(evaluation?.comment).toBe('lease lost: its process died 3 times while it was worked on')
  expect(await mortal.store.getJob('j-killer')).toMatchObject({
    state: 'Failed',
    stateMessage: expect.stringContaining('lease lost'),
  })
  expect((await mortal.store.check()).findings).toEqual([])
})

test('of several that were claimed at a death each is claimed alone, until the next death shows which it was', async () => {
  const mortal = await Mortal.open()
  const names = ['a', 'killer', 'c', 'd']
  for (const name of names) await mortal.submit(name)
  for (const _ of names) await mortal.claimed()
  await mortal.die()
  await mortal.submit('new')
  const first = await mortal.claimed()
  expect(nameOf(first)).toBe('a')
  expect(first.evaluation).toMatchObject({ attempt: 1, lostLeases: 0 })
  expect(await mortal.claim()).toBeNull()
  expect(await mortal.store.nextEvaluationMs()).toBe(mortal.nowMs + 30_000)
  await mortal.store.completeEvaluation({ lease: first.lease })
  expect(nameOf(await mortal.claimed())).toBe('killer')
  expect(await mortal.claim()).toBeNull()
  await mortal.die()
  // The culprit has shown: it goes on alone, and then everybody works again.
  const alone = await mortal.claimed()
  expect(await mortal.claim()).toBeNull()
  await mortal.store.retryEvaluation({ lease: alone.lease, delayMs: 0, maxAttempts: 9, comment: '' })
  const all = [await mortal.claimed(), await mortal.claimed(), await mortal.claimed(), await mortal.claimed()]
  expect(
    all.map((claim) => [nameOf(claim), claim.evaluation.attempt, claim.evaluation.lostLeases]).sort(),
  ).toEqual([
    ['c', 1, 0],
    ['d', 1, 0],
    ['killer', 2, 1],
    ['new', 1, 0],
  ])
  expect((await mortal.store.check()).findings).toEqual([])
})

test('a suspect that works for long keeps nobody waiting, but longer after a death that told nothing', async () => {
  const mortal = await Mortal.open()
  for (const name of ['long', 'other']) await mortal.submit(name)
  await mortal.claimed()
  await mortal.claimed()
  await mortal.die()
  expect(nameOf(await mortal.claimed())).toBe('long')
  mortal.nowMs += 29_999
  expect(await mortal.claim()).toBeNull()
  mortal.nowMs += 1
  expect(nameOf(await mortal.claimed())).toBe('other')
  await mortal.die()
  expect(nameOf(await mortal.claimed())).toBe('long')
  mortal.nowMs += 59_999
  expect(await mortal.claim()).toBeNull()
  expect(await mortal.store.nextEvaluationMs()).toBe(mortal.nowMs + 1)
  await mortal.die()
  const culprit = await mortal.claimed()
  expect([nameOf(culprit), culprit.evaluation.lostLeases]).toEqual(['long', 1])
  mortal.nowMs += 60_000
  expect(nameOf(await mortal.claimed())).toBe('other')
})

test('a suspect that is given back is cleared', async () => {
  const mortal = await Mortal.open()
  for (const name of ['given', 'other']) await mortal.submit(name)
  await mortal.claimed()
  await mortal.claimed()
  await mortal.die()
  const { lease } = await mortal.claimed()
  await mortal.store.retryEvaluation({ lease, delayMs: 0, maxAttempts: 9, comment: 'later' })
  const { lease: second } = await mortal.claimed()
  await mortal.store.completeEvaluation({ lease: second })
  await mortal.submit('new')
  expect([nameOf(await mortal.claimed()), nameOf(await mortal.claimed())].sort()).toEqual(['given', 'new'])
})

test('what a scheduler had claimed is neither suspected nor counted', async () => {
  const mortal = await Mortal.open()
  for (let round = 0; round < 5; round++) {
    if (round === 0) await mortal.submit('job')
    expect((await mortal.claim(true))?.evaluation).toMatchObject({ attempt: 1, lostLeases: 0 })
    await mortal.die()
  }
  expect((await mortal.claimed()).evaluation.lostLeases).toBe(0)
})
