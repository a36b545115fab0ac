// Runs several commands of the inspector on one store in one process and prints what each answered, so that the
// answers of two stores can be compared. Opening the store once spares each command its own check of the file.
import { STORE_TABLES } from '@saltcod/store-core'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { run } from '../dist/cli/run.js'
import { processTerminal } from '../dist/cli/terminal.js'

const [path, nowMs, ...commands] = process.argv.slice(2)
// Ages stand in some answers; they must not differ from run to run.
Date.now = () => Number(nowMs)
if (path !== '') await openLmdbKv({ path, tables: STORE_TABLES, readOnly: true }).catch(() => undefined)

const answers = []
for (const command of commands) {
  let stdout = ''
  let stderr = ''
  const terminal = {
    env: {},
    colour: false,
    progress: false,
    out: (text) => {
      stdout += text
    },
    err: (text) => {
      stderr += text
    },
  }
  const status = await run(terminal, ['node', 'saltcod-inspect', ...JSON.parse(command)])
  answers.push({ command, status, stdout, stderr })
}
processTerminal().out(JSON.stringify(answers))
process.exit(0)
