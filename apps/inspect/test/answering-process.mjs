// Runs several commands of the inspector on one store and answers what each said, so that the answers of two stores
// can be compared. Holding the store open meanwhile spares each command its own check of the file.
import { copyFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isStoreError } from '@saltcod/store-core'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbExecutionStore, openLmdbJobStore, openLmdbKv } from '@saltcod/store-lmdb'
import { run } from '../dist/cli/run.js'

// Ages stand in some answers; they must not differ from run to run.
const nowMs = Number(process.argv[2])
Date.now = () => nowMs

process.on('message', (question) => {
  void answerAll(question)
})

async function answerAll({ path, held, commands }) {
  process.chdir(dirname(path))
  const open = { path, tables: STORE_TABLES, readOnly: true }
  const kv = held ? await openLmdbKv(open).catch(() => undefined) : undefined
  const answers = []
  for (const command of commands) answers.push(await answer(command))
  await kv?.close()
  process.send({ answers })
}

// Whoever asks may be killed.
process.on('disconnect', () => process.exit(0))

async function answer(command) {
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
  const [verb, ...rest] = command
  const beginMs = performance.now()
  const status =
    verb === 'library-check'
      ? await checkByLibrary(terminal, ...rest)
      : await run(terminal, ['node', 'saltcod-inspect', ...command])
  const ms = performance.now() - beginMs
  return { command: JSON.stringify(command), status, stdout, stderr, ms }
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
