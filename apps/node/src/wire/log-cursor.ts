import { ApiError } from './api-error.ts'

/** How far a client has read the log of an execution. */
export interface LogCursor {
  readonly executionId: string
  /** The attempt that wrote it, 0 where nothing was read; another one begins a log of its own. */
  readonly attempt: number
  /** Bytes of each stream. */
  readonly stdout: number
  readonly stderr: number
}

/** Writes a cursor as text that goes into a URL as it is. */
export function writeLogCursor({ executionId, attempt, stdout, stderr }: LogCursor): string {
  return Buffer.from(JSON.stringify([executionId, attempt, stdout, stderr])).toString('base64url')
}

/** Reads a cursor. Throws `BadRequest` for text that is none. */
export function readLogCursor(text: string): LogCursor {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (Array.isArray(parts) && parts.length === 4) {
      const [executionId, ...numbers] = parts as readonly unknown[]
      const [attempt, stdout, stderr] = numbers.filter(isCount)
      if (typeof executionId === 'string' && stderr !== undefined) {
        return { executionId, attempt: attempt ?? 0, stdout: stdout ?? 0, stderr }
      }
    }
  } catch {
    // Answered below, like a cursor of another shape.
  }
  throw new ApiError('BadRequest', 'the place in the log cannot be read', {
    hint: 'use the Next of an earlier message as it is',
  })
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
