import { expect, test } from 'vitest'
import { TaskError } from '../../../src/compute/task-error.ts'
import { provideImage } from '../../../src/engines/docker/images.ts'
import type { SocketApi } from '../../../src/engines/docker/socket-api.ts'
import { playedServer } from './played-server.ts'

const LONG = 'A'.repeat(3_000_000)
const SHORT = 3_000

/** A server that has no image, and answers to the wish for one, and to all other questions. */
async function answering(fetching: string, status: number, body: string): Promise<SocketApi> {
  return await playedServer(({ url = '' }, answer) => {
    if (url.startsWith('/images/create')) answer.end(fetching)
    else if (url.startsWith('/images/')) answer.writeHead(404).end('{"message":"none"}')
    else answer.writeHead(status).end(body)
  })
}

async function failureOf(doing: Promise<unknown>): Promise<Error> {
  const error = await doing.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Error) return error
  throw new Error('it did not fail')
}

test('of what a registry has its server say, records have the beginning and the end', async () => {
  const lines = [{ status: LONG }, { error: `manifest unknown: ${LONG}: the end` }]
  const api = await answering(lines.map((line) => JSON.stringify(line)).join('\n'), 200, '')
  const told: string[] = []
  const error = await failureOf(
    provideImage(api, 'evil:1', {
      policy: 'missing',
      stallMs: 60_000,
      login: () => Promise.resolve({ header: undefined, from: '', unread: [] }),
      tell: (text) => void told.push(text),
      signal: new AbortController().signal,
    }),
  )
  expect(error).toBeInstanceOf(TaskError)
  expect(error).toMatchObject({ code: 'IMAGE_MISSING' })
  expect(error.message).toMatch(/there is no such image \(manifest unknown: A+ … A+: the end\)$/)
  expect(error.message.length).toBeLessThan(SHORT)
  expect(told.map((text) => text.length < SHORT)).toEqual([true])
})

test('and so of any other answer', async () => {
  const api = await answering('', 500, JSON.stringify({ message: `begins ${LONG} ends` }))
  const { message } = await failureOf(api.ask({ path: '/containers/create' }))
  expect(message).toMatch(/^begins A+ … A+ ends$/)
  expect(message.length).toBeLessThan(SHORT)
})
