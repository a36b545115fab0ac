import type { PreparedRun } from './engine.ts'

/** A run that can only fail: `go` answers with the outcome `start-failed` and the message. */
export function failedStart(errorMessage: string): PreparedRun {
  const silent = { stdout: '', stdoutTruncated: false, stderr: '', stderrTruncated: false }
  return {
    process: null,
    go: () =>
      Promise.resolve({ exitCode: null, signal: null, ...silent, errorMessage, reason: 'start-failed' }),
    abandon: () => Promise.resolve(),
  }
}
