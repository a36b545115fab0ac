import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Starts a process of the soak; its newest report and whether it still runs can be asked for at any time. */
export function startWatched(name, ...argv) {
  const program = fileURLToPath(new URL(`./${name}-process.mjs`, import.meta.url))
  const child = fork(program, argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const watched = { name, report: null, ended: null, samples: [] }
  child.on('message', (report) => {
    watched.report = report
  })
  const ended = new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      watched.ended = signal ?? `exit code ${code}`
      resolve()
    })
  })
  return {
    watched,
    /** Notes how much anonymous memory the process has now. */
    sample() {
      if (watched.ended === null) watched.samples.push(anonymousBytes(child.pid))
    },
    /** Asks the process to finish, and resolves when it has. */
    async stop() {
      if (watched.ended === null) child.send('stop')
      await ended
    },
  }
}

function anonymousBytes(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024
  } catch {
    // It has just ended, which the event tells.
    return 0
  }
}
