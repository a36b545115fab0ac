import { constants } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { InputFetch } from '../input-fetcher.ts'
import type { InlineParameters } from './parameters.ts'
import { unpack } from './unpack.ts'

/** What a `data:` URL holds. Rejects where it cannot be decoded. */
async function decode(url: string): Promise<{ readonly type: string; readonly bytes: Buffer }> {
  const response = await globalThis.fetch(url)
  return {
    type: response.headers.get('content-type') ?? '',
    bytes: Buffer.from(await response.arrayBuffer()),
  }
}

function isPacked(type: string): boolean {
  return /^application\/gzip\b/i.test(type)
}

/**
 * Tells whether a file holds what an inline input brings; false for a packed directory, and where it cannot be read.
 */
export async function holdsInline(path: string, { URL }: InlineParameters): Promise<boolean> {
  try {
    const { type, bytes } = await decode(URL)
    return (
      !isPacked(type) &&
      bytes.equals(await readFile(path, { flag: constants.O_RDONLY | constants.O_NOFOLLOW }))
    )
  } catch {
    return false
  }
}

/** Writes the content of a `data:` URL to a file; one of type `application/gzip` is a packed directory. */
export async function fetchInline(fetch: InputFetch<InlineParameters>): Promise<'file' | 'directory'> {
  const { type, bytes } = await decode(fetch.params.URL).catch((error: unknown) => {
    throw fetch.fail('INPUT_INVALID', 'has a data URL that cannot be decoded', error)
  })
  if (isPacked(type)) {
    await unpack(fetch, bytes)
    return 'directory'
  }
  fetch.copy.budget.takeEntry()
  fetch.copy.budget.takeBytes(bytes.length)
  await writeFile(fetch.hostPath, bytes, { mode: 0o444, flag: 'wx' })
  return 'file'
}
