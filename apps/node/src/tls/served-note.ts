import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeKeptFile } from '@saltcod/config'
import { isLoopbackHost } from '../access/protection.ts'
import { TLS_DIRECTORY_NAME } from './authority.ts'

/** What a node leaves in its repository, so that commands of the same machine find and recognise it. */
export interface ServedNote {
  readonly host: string
  readonly port: number
  /** What proves the node, as PEM: the certificate of its authority, or the one that it serves. */
  readonly proof: string
}

const NAME = /^(.+)-serving\.json$/

/** Notes where a node serves TLS, or with `null` that it does not. */
export function writeServedNote(repository: string, nodeId: string, note: ServedNote | null): void {
  const path = join(repository, TLS_DIRECTORY_NAME, `${nodeId}-serving.json`)
  if (note === null) rmSync(path, { force: true })
  else writeKeptFile(path, `${JSON.stringify(note)}\n`)
}

/**
 * Finds the note that the node of a repository has left which listens at an address; `null` where none does so with
 * TLS.
 */
export function findServedNote(repository: string, host: string, port: number): ServedNote | null {
  const directory = join(repository, TLS_DIRECTORY_NAME)
  const isHere = isLoopbackHost(host)
  try {
    const notes = readdirSync(directory)
      .filter((name) => NAME.test(name))
      .flatMap((name) => readNote(join(directory, name)))
    return notes.find((note) => note.port === port && (isHere || note.host === host)) ?? null
  } catch {
    // Whoever cannot read them asks as if there were none, and is told by the other side.
    return null
  }
}

/** One that is damaged hides no other. */
function readNote(path: string): readonly ServedNote[] {
  let note: Partial<ServedNote>
  try {
    note = JSON.parse(readFileSync(path, 'utf8')) as Partial<ServedNote>
  } catch {
    return []
  }
  const { host, port, proof } = note
  return typeof host === 'string' && typeof port === 'number' && typeof proof === 'string'
    ? [{ host, port, proof }]
    : []
}
