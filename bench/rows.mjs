import { bytesRows } from './rows/bytes.mjs'
import { changeStateRows } from './rows/change-state.mjs'
import { createRows } from './rows/create.mjs'
import { getRows } from './rows/get.mjs'
import { memoryRows } from './rows/memory.mjs'
import { openRows } from './rows/open.mjs'
import { pageRows } from './rows/page.mjs'
import { submitRows } from './rows/submit.mjs'
import { updateExecutionRows } from './rows/update-execution.mjs'

/** Every row of the table, in its order. */
export const rows = [
  ...submitRows,
  ...createRows,
  ...changeStateRows,
  ...updateExecutionRows,
  ...getRows,
  ...pageRows,
  ...openRows,
  ...bytesRows,
  ...memoryRows,
]
