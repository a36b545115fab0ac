import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Describes everything below a directory: kind, mode, owner, length and content, one line each. */
export function pictureOf(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true }).map(String).sort()
  return names.map((name) => {
    const path = join(directory, name)
    const status = lstatSync(path)
    const kind = (status.mode & 0o170_000).toString(8)
    const mode = (status.mode & 0o7777).toString(8)
    return `${name} ${kind} ${mode} ${status.uid} ${contentOf(path)}`
  })
}

function contentOf(path: string): string {
  const status = lstatSync(path)
  if (status.isSymbolicLink()) return readlinkSync(path)
  if (!status.isFile()) return ''
  return `${status.size} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
}
