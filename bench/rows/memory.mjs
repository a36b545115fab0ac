import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const growing = fileURLToPath(new URL('../growing-process.mjs', import.meta.url))

/** Lets a store grow a hundredfold in a process of its own and watches what memory that process keeps. */
export const memoryRows = [
  {
    name: 'memory',
    work: 'anonymous memory of a writing process: large store / a hundredth',
    unit: 'x',
    required: { atMost: 1.2 },
    compares: 'growth',
    repeats: false,
    async ours(bench) {
      let memory
      return {
        async measure() {
          const path = join(bench.directory, 'growing.lmdb')
          const { stdout } = await run(process.execPath, [growing, path, String(bench.large)])
          memory = JSON.parse(stdout)
          return memory.largeBytes / memory.smallBytes
        },
        note: () =>
          `ours: ${mebibytes(memory.smallBytes)} at ${bench.large / 100} jobs, ${mebibytes(memory.largeBytes)} at ${bench.large}`,
        close: async () => undefined,
      }
    },
  },
]

function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
