import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory, syncDirectory } from './directory.ts'
import type { Problem } from './problem.ts'
import { NODE_ID_PATTERN } from './settings/node.ts'
import { readTextFile } from './text-file.ts'

/** The name of the file in the repository directory that keeps the id of a node. */
export const NODE_ID_FILE_NAME = 'node-id'

const WRITE_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'the repository directory is not there and cannot be made',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
}

/** The id that a repository keeps, or what is wrong with it. */
export type KeptNodeId = { readonly nodeId: string | undefined } | { readonly problem: Problem }

/** Makes a new node id, in the manner of Bacalhau: `n-` and a random UUID. */
export function makeNodeId(): string {
  return `n-${randomUUID()}`
}

/**
 * Reads the node id that a repository directory keeps; `nodeId` is `undefined` where it keeps none. Writes nothing.
 */
export function readNodeId(repository: string): KeptNodeId {
  const path = join(repository, NODE_ID_FILE_NAME)
  const read = readTextFile(path)
  if (read === undefined) return { nodeId: undefined }
  if (!('text' in read)) return { problem: { origin: { kind: 'file', path, line: 0 }, ...read } }
  const nodeId = read.text.trim()
  if (NODE_ID_PATTERN.test(nodeId)) return { nodeId }
  return {
    problem: {
      origin: { kind: 'file', path, line: 0 },
      problem: nodeId === '' ? 'the file is empty' : 'the file holds no node id',
      hint: 'write the id into it that the *-compute and *-requester directories beside it are named after; where there are none, remove the file',
    },
  }
}

/**
 * Returns the node id that a repository directory keeps, after making it keep one where it has none:
 * `proposed`, or a new one. Of several processes that do so at once, all return the same id.
 * The directory is made (0700) if it is missing; the file (0600) is there as a whole or not at all.
 */
export function ensureNodeId(
  repository: string,
  proposed: string = makeNodeId(),
): { readonly nodeId: string } | { readonly problem: Problem } {
  if (!NODE_ID_PATTERN.test(proposed)) throw new TypeError(`${JSON.stringify(proposed)} is not a node id`)
  const kept = readNodeId(repository)
  if ('problem' in kept) return kept
  if (kept.nodeId !== undefined) return { nodeId: kept.nodeId }
  try {
    makeDirectory(repository)
    writeOnce(repository, `${proposed}\n`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return {
      problem: {
        origin: { kind: 'file', path: join(repository, NODE_ID_FILE_NAME), line: 0 },
        problem: `the node id cannot be kept: ${WRITE_ERRORS[code] ?? code}`,
        hint: 'let this user write to the repository directory, or name another one with --repo',
      },
    }
  }
  const settled = readNodeId(repository)
  return 'problem' in settled ? settled : { nodeId: settled.nodeId ?? proposed }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

// A link to a finished file: whoever comes second fails with EEXIST and reads the first one's id.
function writeOnce(repository: string, text: string): void {
  const temporary = join(repository, `.${NODE_ID_FILE_NAME}.${randomUUID()}`)
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    linkSync(temporary, join(repository, NODE_ID_FILE_NAME))
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(temporary, { force: true })
  }
  syncDirectory(repository)
}
