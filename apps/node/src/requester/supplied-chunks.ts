import { COMPUTE_STATES } from '@saltcod/store-core'
import { z } from 'zod'
import type { Chunk, DemandBody } from '../link/link.ts'
import { LinkError } from '../link/link-error.ts'
import { problemLine, readBySchema } from '../spec/problem.ts'

const LATEST_MS = 8_640_000_000_000_000

const count = z.number().int().min(0)
const words = z.string()

const CHUNKS: Readonly<Record<DemandBody['kind'], z.ZodType<Chunk>>> = {
  log: z.object({
    stream: z.enum(['stdout', 'stderr']),
    text: words,
    position: z.object({ attempt: count, stdout: count, stderr: count }),
  }),
  // The tag goes into a header of whoever fetches it.
  archive: z.object({ bytes: count, tag: z.string().regex(/^[\w.+/=-]{1,200}$/) }),
  results: z.instanceof(Uint8Array),
  execution: z.object({
    state: z.enum(COMPUTE_STATES),
    stateMessage: words,
    stateSinceMs: z.number().int().min(0).max(LATEST_MS),
    endReason: words.nullable(),
    attempt: count,
    revision: count,
  }) as z.ZodType<Chunk>,
}

/**
 * Yields what a node supplies as long as it is what was demanded. Throws `LINK_GARBLED` where it is not: what is more
 * or less than the bytes that were promised to a reader would be taken by that for the next answer, or a part of it.
 */
export async function* asDemanded(
  nodeId: string,
  demand: DemandBody,
  chunks: AsyncIterable<Chunk>,
  signal: AbortSignal,
): AsyncGenerator<Chunk, void, undefined> {
  const garbled = (what: string): LinkError =>
    new LinkError('LINK_GARBLED', `what node ${nodeId} supplies is not what it was asked for: ${what}`)
  let leftBytes = demand.kind === 'results' ? demand.to - demand.from : 0
  for await (const chunk of chunks) {
    const read = readBySchema(CHUNKS[demand.kind], chunk)
    if ('problems' in read) throw garbled(read.problems.slice(0, 1).map(problemLine).join())
    if (chunk instanceof Uint8Array) leftBytes -= chunk.byteLength
    if (leftBytes < 0) throw garbled('it is more than was promised')
    yield chunk
  }
  if (leftBytes > 0 && !signal.aborted) throw garbled(`${leftBytes} bytes are missing`)
}
