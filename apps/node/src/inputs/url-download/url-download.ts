import { basename } from 'node:path'
import type { InputKind } from '../input-kind.ts'
import { type DownloadParameters, URL_DOWNLOAD } from './parameters.ts'

/** What a server answers with. */
export const urlDownload: InputKind<DownloadParameters> = {
  ...URL_DOWNLOAD,
  isConstant: false,
  fileName: (params) => downloadName(params?.URL),
  async load() {
    const { fetchUrl } = await import('./download.ts')
    return { fetch: fetchUrl }
  },
}

/** The name under which a download lies in its target directory: the last part of the URL's path. */
export function downloadName(url: unknown): string {
  try {
    const name = basename(decodeURIComponent(new URL(String(url)).pathname))
    return name === '' || name === '.' || name === '..' || name.includes('\0') || name.length > 255
      ? 'download'
      : name
  } catch {
    return 'download'
  }
}
