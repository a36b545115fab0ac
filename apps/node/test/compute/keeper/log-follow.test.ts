import { appendFileSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { type ExitRecord, writeExitRecord } from '../../../src/compute/keeper/exit-record.ts'
import { followLog, type LogPart } from '../../../src/compute/keeper/log-follow.ts'
import { logFile } from '../../../src/compute/keeper/work-files.ts'

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
  workDir = temporaryDirectory()
})

const stdout = (text: string | Buffer): void => appendFileSync(logFile(workDir, 'stdout'), text)

async function all(parts: AsyncIterable<LogPart>): Promise<string[]> {
  const found: string[] = []
  for await (const { stream, text } of parts) found.push(`${stream}:${text}`)
  return found
}

describe('logs', () => {
  test('are read as they are', async () => {
    stdout('one\ntwo\nhalf')
    writeFileSync(logFile(workDir, 'stderr'), 'wrong\n')
    expect(await all(followLog(workDir))).toEqual(['stdout:one\ntwo\n', 'stdout:half', 'stderr:wrong\n'])
  })

  test('of a run that has not begun are empty', async () => {
    expect(await all(followLog(workDir))).toEqual([])
  })

  test('are followed until the run has ended', async () => {
    stdout('one\ntw')
    const lines = followLog(workDir, { follow: true })
    expect((await lines.next()).value).toEqual({
      stream: 'stdout',
      text: 'one\n',
      offsets: { stdout: 4, stderr: 0 },
    })
    const next = lines.next()
    stdout('o\nlast')
    expect((await next).value).toMatchObject({ stream: 'stdout', text: 'two\n' })
    writeExitRecord(workDir, ENDED)
    expect(await all(lines)).toEqual(['stdout:last'])
  })

  test('can be followed from now on', async () => {
    stdout('old\n')
    const lines = followLog(workDir, { follow: true, tail: true })
    const next = lines.next()
    // Written again and again, since from outside nobody sees when the reader has found its place.
    const writer = setInterval(() => stdout('new\n'), 20)
    const { value } = await next
    clearInterval(writer)
    expect(value).toMatchObject({ stream: 'stdout', text: expect.stringMatching(/^(?:new\n)+$/) })
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

  test('come many lines at a time, none of them cut', async () => {
    const lines = Array.from({ length: 50_000 }, (_, number) => `line ${number}\n`)
    stdout(lines.join(''))
    const pieces = (await all(followLog(workDir))).map((piece) => piece.slice('stdout:'.length))
    expect(pieces.join('')).toBe(lines.join(''))
    expect(pieces.every((piece) => piece.endsWith('\n'))).toBe(true)
    expect(pieces.length).toBeLessThan(50)
  })

  test('say that they were cut', async () => {
    stdout('begin\n')
    writeExitRecord(workDir, { ...ENDED, stdoutCapped: true })
    expect(await all(followLog(workDir))).toEqual([
      'stdout:begin\n',
      'stdout:[saltcod: the log limit was reached or the disk was full, the rest was dropped]\n',
    ])
  })
})
