import { appendFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ExitRecord, writeExitRecord } from '../../../src/compute/supervisor/exit-record.ts'
import { followLog, type LogLine } from '../../../src/compute/supervisor/log-follow.ts'
import { logFile } from '../../../src/compute/supervisor/work-files.ts'
import { makeDirectory, removeDirectory } from '../work-bench.ts'

const ENDED: ExitRecord = {
  executionId: 'e-1',
  attempt: 1,
  reason: 'exited',
  exitCode: 0,
  signal: null,
  errorMessage: null,
  stdoutCapped: false,
  stderrCapped: false,
  startedAtMs: 1,
  endedAtMs: 2,
}

let workDir: string

beforeEach(() => {
  workDir = makeDirectory()
})
afterEach(() => removeDirectory(workDir))

const stdout = (text: string | Buffer): void => appendFileSync(logFile(workDir, 'stdout'), text)

async function all(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const found: string[] = []
  for await (const { stream, line } of lines) found.push(`${stream}:${line}`)
  return found
}

describe('logs', () => {
  test('are read as they are', async () => {
    stdout('one\ntwo\nhalf')
    writeFileSync(logFile(workDir, 'stderr'), 'wrong\n')
    expect(await all(followLog(workDir))).toEqual([
      'stdout:one\n',
      'stdout:two\n',
      'stdout:half',
      'stderr:wrong\n',
    ])
  })

  test('of a run that has not begun are empty', async () => {
    expect(await all(followLog(workDir))).toEqual([])
  })

  test('are followed until the run has ended', async () => {
    stdout('one\ntw')
    const lines = followLog(workDir, { follow: true })
    expect((await lines.next()).value).toEqual({ stream: 'stdout', line: 'one\n' })
    const next = lines.next()
    stdout('o\nlast')
    expect((await next).value).toEqual({ stream: 'stdout', line: 'two\n' })
    writeExitRecord(workDir, ENDED)
    expect(await all(lines)).toEqual(['stdout:last'])
  })

  test('can be followed from now on', async () => {
    stdout('old\n')
    const lines = followLog(workDir, { follow: true, tail: true })
    const next = lines.next()
    // Written again and again, since from outside nobody sees when the reader has found its place.
    const writer = setInterval(() => stdout('new\n'), 20)
    expect((await next).value).toEqual({ stream: 'stdout', line: 'new\n' })
    clearInterval(writer)
    await lines.return(undefined)
  })

  test('end when the reader gives up', async () => {
    const stopper = new AbortController()
    const rest = all(followLog(workDir, { follow: true, signal: stopper.signal }))
    stopper.abort()
    expect(await rest).toEqual([])
  })

  test('keep characters whole and cut endless lines', async () => {
    const bytes = Buffer.from(`${'x'.repeat(65_535)}ä`.repeat(3))
    stdout(bytes)
    writeExitRecord(workDir, ENDED)
    const pieces = await all(followLog(workDir, { follow: true }))
    expect(pieces.map((piece) => piece.slice('stdout:'.length)).join('')).toBe(bytes.toString())
    expect(pieces.length).toBeGreaterThan(1)
  })

  test('say that they were cut', async () => {
    stdout('begin\n')
    writeExitRecord(workDir, { ...ENDED, stdoutCapped: true })
    expect(await all(followLog(workDir))).toEqual([
      'stdout:begin\n',
      'stdout:[saltcod: the log limit was reached, the rest was dropped]\n',
    ])
  })
})
