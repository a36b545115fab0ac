import { bytesRows } from './rows/bytes.mjs'
import { changeStateRow } from './rows/change-state.mjs'
import { createRow } from './rows/create.mjs'
import { getRow } from './rows/get.mjs'
import { memoryRows } from './rows/memory.mjs'
import { openRows } from './rows/open.mjs'
import { pageRows } from './rows/page.mjs'
import { submitRow } from './rows/submit.mjs'
import { updateExecutionRow } from './rows/update-execution.mjs'

/** Every row of the table, in its order; those that count what is done, for each of these numbers of callers. */
export function rowsFor(callers) {
  return [
    ...[submitRow, createRow, changeStateRow, updateExecutionRow, getRow].flatMap((row) => callers.map(row)),
    ...pageRows,
    ...openRows,
    ...bytesRows,
    ...memoryRows,
  ]
}
