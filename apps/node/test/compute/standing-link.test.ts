import assert from 'node:assert/strict'
import { test } from 'vitest'
import { standingLink } from '../../src/compute/standing-link.ts'
import { LinkError } from '../../src/link/link-error.ts'
import { PlayedRequester } from '../link/played-requester.ts'

const NEVER = new AbortController().signal

test('what belongs to an earlier session is neither polled behind nor acknowledged in the next one', async () => {
  const asked: unknown[] = []
  const requester = new PlayedRequester()
  const knows = (session: string | undefined): void => {
    if (session !== 's-2') throw new LinkError('LINK_UNKNOWN', 'shake hands first')
  }
  requester.poll = async (request) => {
    knows(request.session)
    asked.push(request)
    return await Promise.resolve([])
  }
  requester.acknowledge = async (request) => {
    knows(request.session)
    asked.push(request)
    await Promise.resolve()
  }
  const link = standingLink(requester, async () => {
    link.adopt('s-2')
    await Promise.resolve()
  })
  link.adopt('s-1')
  const before = link.round
  const poll = { nodeId: 'n-1', afterSequence: 700, limit: 10, waitMs: 1 }
  assert.deepEqual(await link.poll(poll, NEVER), [])
  await link.acknowledge({ nodeId: 'n-1', upToSequence: 700 })
  link.adopt('s-1')
  await link.acknowledge({ nodeId: 'n-1', upToSequence: 701 })
  assert.equal(link.round, before + 3)
  assert.deepEqual(
    asked.map((request) => (request as { upToSequence?: number }).upToSequence),
    [700],
  )
  await link.poll({ ...poll, afterSequence: 0 }, NEVER)
  assert.deepEqual(asked.at(-1), { ...poll, afterSequence: 0, session: 's-2' })
})
