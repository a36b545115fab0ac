import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeKeptFile } from '@saltcod/config'
import { TLS_DIRECTORY_NAME } from './authority.ts'

/** What a node leaves in its repository, so that commands of the same machine find and recognise it. */
export interface ServedNote {
  readonly host: string
  readonly port: number
  /** What proves the node, as PEM: the certificate of its authority, or the one that it serves. */
  readonly proof: string
}

function pathOf(repository: string): string {
  return join(repository, TLS_DIRECTORY_NAME, 'serving.json')
}

/** Notes where a node serves TLS, or with `null` that it does not. */
export function writeServedNote(repository: string, note: ServedNote | null): void {
  if (note === null) rmSync(pathOf(repository), { force: true })
  else writeKeptFile(pathOf(repository), `${JSON.stringify(note)}\n`)
}

/** Reads the note that a node has left; `null` where it serves no TLS, or has never been started. */
export function readServedNote(repository: string): ServedNote | null {
  try {
    const { host, port, proof } = JSON.parse(readFileSync(pathOf(repository), 'utf8')) as Partial<ServedNote>
    if (typeof host === 'string' && typeof port === 'number' && typeof proof === 'string')
      return { host, port, proof }
  } catch {
    // Whoever cannot read it asks as if there were none, and is told by the other side.
  }
  return null
}

/** Tells whether a node is meant that has left a note. */
export function isNoted(note: ServedNote, host: string, port: number): boolean {
  return port === note.port && (host === note.host || /^(?:127\.|::1$|localhost$)/i.test(host))
}
