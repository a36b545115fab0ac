import { lstatSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is needed of an image of a directory. */
interface Image {
  readonly files: ReadonlyMap<
    string,
    { readonly inode: string; readonly content: { readonly bytes: Buffer } }
  >
}

/**
 * Lets the notes of owners beside LMDB stores speak of the files as an image was written; where `closed` is true, as
 * if they had been closed in good order, so that no child checks each of them.
 */
export function renewOwnerNotes(root: string, { files }: Image, closed: boolean): void {
  for (const [path, { inode }] of files) {
    const isStore = path.endsWith('.db') && lstatSync(join(root, path)).size > 0
    const note = files.get(`${path}.owner`)?.content.bytes.toString()
    if (!isStore || (note === undefined && !closed)) continue
    const state = closed ? undefined : /^(closed|process) \d+/.exec(note ?? '')?.[0]
    writeFileSync(join(root, `${path}.owner`), noteOf(join(root, path), inode, note ?? '', state), {
      mode: 0o600,
    })
  }
}

/**
 * The note of an owner about a file that has another inode now; without a state, that it was closed and not touched
 * since.
 */
function noteOf(path: string, inode: string, note: string, state: string | undefined): string {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true })
  const [, transaction, of] = / commit (\d+) of (\d+):\d+/.exec(note) ?? []
  const commit = of === inode ? ` commit ${transaction} of ${ino}:${birthtimeNs}` : ''
  return `${state ?? `closed ${ctimeNs}`}${commit}`.padEnd(96)
}
