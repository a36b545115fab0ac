import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import { writeKeptFile } from '@saltcod/config'
import { z } from 'zod'
import { EXIT } from '../exit-code.ts'
import { systemCode } from '../system-code.ts'
import { unreadable } from '../unusable-place.ts'
import { credentialText, makeSecret, readCredential } from './token.ts'

const file = z.object({
  credential: z.string(),
  /** A requester has taken it in. */
  joined: z.boolean(),
})

/** What a node proves itself with to its requester. */
export type KeptCredential = Readonly<z.infer<typeof file>>

function pathOf(repository: string, nodeId: string): string {
  return join(repository, `${nodeId}-credential`)
}

/** Returns what a node proves itself with to its requester; `null` where it has nothing yet. Throws a `Failure`. */
export function readNodeCredential(repository: string, nodeId: string): KeptCredential | null {
  const path = pathOf(repository, nodeId)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return null
  const unusable = (reason: string, cause?: unknown): Failure =>
    new Failure(EXIT.usage, `the credential of this node in ${path} cannot be used: ${reason}`, {
      hint: 'put a copy of it back; or remove it, delete the node at its requester (saltcod node delete), and let it join again with --join-token FILE',
      cause,
    })
  if (found.isDirectory()) throw unusable('it is a directory')
  if ((found.mode & 0o077) !== 0) throw unusable('others can read it, who could speak as this node')
  let kept: KeptCredential
  try {
    kept = file.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw unusable(systemCode(error) === undefined ? 'it is damaged' : unreadable(error), error)
  }
  if (readCredential(kept.credential)?.nodeId !== nodeId) throw unusable('it is none of this node')
  return kept
}

/** Makes what a node is to prove itself with, and keeps it. Throws what the system says. */
export function makeNodeCredential(repository: string, nodeId: string): KeptCredential {
  const credential = credentialText({ nodeId, secret: makeSecret() })
  return keepNodeCredential(repository, nodeId, { credential, joined: false })
}

/** Keeps what a node proves itself with. Throws what the system says. */
export function keepNodeCredential(repository: string, nodeId: string, kept: KeptCredential): KeptCredential {
  writeKeptFile(pathOf(repository, nodeId), `${JSON.stringify(kept)}\n`)
  return kept
}
