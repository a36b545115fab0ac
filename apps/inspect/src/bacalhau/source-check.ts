import type { Note, Tell } from '@saltcod/bacalhau-records'
import { checkBolt } from '@saltcod/store-bolt'
import { pathText } from '../bolt/bolt-text.ts'
import type { BacalhauFiles } from './bacalhau-files.ts'

/** So many findings of a file are told. */
const MAX_FINDINGS = 20

/**
 * Tells what a check of the pages finds. A walk through the records misses those to which nothing leads any more, and
 * sees nothing wrong.
 */
export async function tellDamage(
  files: BacalhauFiles,
  tell: Tell,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  for (const { bolt, path, layout } of [...files.jobs, ...files.executions]) {
    const report = await bolt.read((snapshot) =>
      checkBolt(snapshot, { maxFindings: MAX_FINDINGS, onProgress }),
    )
    const record: Note['record'] = layout.kind === 'jobs' ? 'job' : 'execution'
    const noteOf = (place: string, what: string): Note => ({
      kind: 'left-out',
      record,
      id: '',
      place,
      code: 'damaged-file',
      message: `a check of ${path} finds: ${what}; what is missing because of it, if anything, cannot be told`,
    })
    for (const { page, path: names, what } of report.findings) {
      tell(noteOf(`page ${page}${names.length === 0 ? '' : ` in ${pathText(names)}`}`, what))
    }
    const more = report.findingCount - report.findings.length
    if (more > 0) tell(noteOf('further pages', `${more} more of the kind`))
  }
}
