import { writeFile } from 'node:fs/promises'
import { type InputFetch, requiredText } from './input-fetch.ts'
import { unpack } from './unpack.ts'

/** Writes the content of a `data:` URL to a file; one of type `application/gzip` is a packed directory. */
export async function fetchInline(fetch: InputFetch): Promise<'file' | 'directory'> {
  const url = requiredText(fetch, 'URL')
  if (!/^data:/i.test(url)) throw fetch.fail('INPUT_INVALID', 'needs a URL that begins with "data:"')
  let bytes: Buffer
  let type: string
  try {
    const response = await globalThis.fetch(url)
    type = response.headers.get('content-type') ?? ''
    bytes = Buffer.from(await response.arrayBuffer())
  } catch (error) {
    throw fetch.fail('INPUT_INVALID', 'has a data URL that cannot be decoded', error)
  }
  if (/^application\/gzip\b/i.test(type)) {
    await unpack(fetch, bytes)
    return 'directory'
  }
  fetch.copy.budget.takeEntry()
  fetch.copy.budget.takeBytes(bytes.length)
  await writeFile(fetch.hostPath, bytes, { mode: 0o444, flag: 'wx' })
  return 'file'
}
