import { type BigIntStats, readFileSync, statSync } from 'node:fs'
import type { Problem } from './problem.ts'

const LARGEST_FILE_BYTES = 1_000_000

/** The text of a file, or why there is none. */
export type TextFile = { readonly text: string } | Pick<Problem, 'problem' | 'hint'>

/** Reads a small UTF-8 file. Returns `undefined` if there is nothing at the path; never throws. */
export function readTextFile(path: string): TextFile | undefined {
  let bytes: Uint8Array
  try {
    // A look before reading: a named pipe without a writer would block for ever.
    const stats = statSync(path, { bigint: true })
    const refusal = refuseKind(stats)
    if (refusal !== undefined) return refusal
    bytes = readFileSync(path)
  } catch (error) {
    return refuseError(error)
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { problem: 'the file is not UTF-8 text', hint: 'save it as UTF-8' }
  }
}

function refuseKind(stats: BigIntStats): Pick<Problem, 'problem' | 'hint'> | undefined {
  if (stats.isDirectory()) return { problem: 'this is a directory', hint: 'name the file itself' }
  if (!stats.isFile()) {
    return { problem: 'this is a pipe, a socket or a device', hint: 'name a regular file' }
  }
  if (stats.size > LARGEST_FILE_BYTES) {
    return {
      problem: `the file has ${stats.size} bytes, more than the ${LARGEST_FILE_BYTES} that such a file may have`,
      hint: 'name the right file',
    }
  }
  return undefined
}

function refuseError(error: unknown): Pick<Problem, 'problem' | 'hint'> | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  if (code === 'ENOENT') return undefined
  if (code === 'EACCES' || code === 'EPERM') {
    return { problem: 'the file cannot be read: permission denied', hint: 'let this user read it' }
  }
  if (code === 'ENOTDIR') {
    return { problem: 'part of the path is a file, not a directory', hint: 'correct the path' }
  }
  if (code === 'ELOOP') return { problem: 'its symbolic links lead in a circle', hint: 'correct the links' }
  return { problem: `the file cannot be read: ${code}`, hint: 'correct the path or the file' }
}
