// Runs several commands of the inspector on one store in one process and prints what each answered, so that the
// answers of two stores can be compared. Opening the store once spares each command its own check of the file.
import { copyFileSync } from 'node:fs'
import { isStoreError, STORE_TABLES } from '@saltcod/store-core'
import { openLmdbExecutionStore, openLmdbJobStore, openLmdbKv } from '@saltcod/store-lmdb'
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
  const [verb, ...rest] = JSON.parse(command)
  const beginMs = performance.now()
  const status =
    verb === 'library-check'
      ? await checkByLibrary(terminal, ...rest)
      : await run(terminal, ['node', 'saltcod-inspect', verb, ...rest])
  answers.push({ command, status, stdout, stderr, ms: performance.now() - beginMs })
}
/** The check of the store itself, without the program, by whoever owns a copy of the file or only reads it. */
async function checkByLibrary(terminal, kind, role) {
  copyFileSync('store.db', `${role}.db`)
  const open = kind === 'jobs' ? openLmdbJobStore : openLmdbExecutionStore
  try {
    const store = await open({ path: `${role}.db`, readOnly: role === 'reader' })
    try {
      const report = await store.check()
      terminal.out(JSON.stringify(report))
      return report.findings.length === 0 ? 0 : 1
    } finally {
      await store.close()
    }
  } catch (error) {
    terminal.err(error.stack)
    return isStoreError(error) ? 3 : -1
  }
}

processTerminal().out(JSON.stringify(answers))
process.exit(0)
