import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { removeTree } from '../../src/compute/files/remove-tree.ts'
import { publishResults } from '../../src/publishers/local/publish-results.ts'
import type { PublishAnswer } from '../../src/publishers/publisher.ts'

const RESULTS = [{ Name: 'counts', Path: '/outputs/counts' }]
let directory: string
let workDir: string
let resultsDir: string

beforeEach(() => {
  directory = temporaryDirectory()
  workDir = join(directory, 'work')
  resultsDir = join(directory, 'results')
  mkdirSync(join(workDir, 'root/outputs/counts/sub'), { recursive: true })
  writeFileSync(join(workDir, 'stdout'), 'out')
  writeFileSync(join(workDir, 'stderr'), '')
  writeFileSync(join(workDir, 'root/outputs/counts/sub/words'), '42')
  writeFileSync(join(directory, 'secret'), 'secret of the host')
})

const publish = (maxBytes = 1_000): Promise<PublishAnswer> =>
  publishResults({ executionId: 'e-1', workDir, resultsDir, results: RESULTS, exitCode: 3, maxBytes })

const published = (path: string): string => readFileSync(join(resultsDir, 'e-1', path), 'utf8')

describe('publishing results', () => {
  test('lays out logs, exit code and a folder for each result path', async () => {
    const answer = await publish()
    expect(answer).toEqual({
      status: 'published',
      directory: join(resultsDir, 'e-1'),
      manifest: { files: 4, bytes: 6, skipped: [] },
    })
    expect(readdirSync(join(resultsDir, 'e-1')).sort()).toEqual(['counts', 'exitCode', 'stderr', 'stdout'])
    expect(published('stdout')).toBe('out')
    expect(published('exitCode')).toBe('3')
    expect(published('counts/sub/words')).toBe('42')
  })

  test('a run that shares its root with others, since it leaves nothing there, is published all the same', async () => {
    rmSync(join(workDir, 'root'), { recursive: true })
    const options = { executionId: 'e-1', workDir, resultsDir, exitCode: 0, maxBytes: 1_000 }
    expect(await publishResults({ ...options, results: RESULTS })).toMatchObject({ status: 'results-lost' })
    expect(await publishResults({ ...options, results: [] })).toMatchObject({
      status: 'published',
      manifest: { files: 3 },
    })
  })

  test('a second time changes nothing, also when the work directory is gone', async () => {
    await publish()
    rmSync(workDir, { recursive: true })
    expect(await publish()).toMatchObject({ status: 'published', manifest: { files: 4, bytes: 6 } })
  })

  test('goes through after a crash in the middle', async () => {
    mkdirSync(join(resultsDir, '.unfinished-e-1+abc/half'), { recursive: true })
    mkdirSync(join(resultsDir, '.unfinished-e-1.2+abc'), { recursive: true })
    expect(await publish()).toMatchObject({ status: 'published' })
    expect(readdirSync(resultsDir).sort()).toEqual(['.unfinished-e-1.2+abc', 'e-1'])
  })

  test('needs no directory of the job where there are no result paths, which may have been shared', async () => {
    rmSync(join(workDir, 'root'), { recursive: true })
    const shared = { executionId: 'e-1', workDir, resultsDir, results: [], exitCode: 0, maxBytes: 1_000 }
    expect(await publishResults(shared)).toMatchObject({ status: 'published', manifest: { files: 3 } })
    expect(published('stdout')).toBe('out')
  })

  test('says when there is nothing left', async () => {
    rmSync(workDir, { recursive: true })
    expect(await publish()).toMatchObject({
      status: 'results-lost',
      reason: expect.stringContaining(workDir),
    })
    expect(existsSync(resultsDir)).toBe(false)
  })

  test('follows no link and opens no pipe', async () => {
    const outputs = join(workDir, 'root/outputs/counts')
    symlinkSync(join(directory, 'secret'), join(outputs, 'file-link'))
    symlinkSync(directory, join(outputs, 'directory-link'))
    execFileSync('mkfifo', [join(outputs, 'pipe')])
    const answer = await publish()
    expect(answer).toMatchObject({ status: 'published', manifest: { files: 4 } })
    expect(answer.status === 'published' && answer.manifest.skipped).toEqual([
      { path: 'counts/directory-link', reason: 'is a symbolic link' },
      { path: 'counts/file-link', reason: 'is a symbolic link' },
      { path: 'counts/pipe', reason: 'is neither a file nor a directory' },
    ])
  })

  test('leaves out a name that is not UTF-8, and says so', async () => {
    const name = Buffer.from(join(workDir, 'root/outputs/counts/caf\xe9'), 'latin1')
    writeFileSync(name, 'x')
    expect(await publish()).toMatchObject({
      manifest: { skipped: [{ path: 'counts/caf\ufffd', reason: 'has a name that is not UTF-8' }] },
    })
  })

  test.each(['root/outputs/counts', 'root/outputs'])(
    'a link in place of %s is not followed',
    async (path) => {
      rmSync(join(workDir, path), { recursive: true })
      mkdirSync(join(directory, 'counts'))
      writeFileSync(join(directory, 'counts/secret'), 'secret of the host')
      symlinkSync(path.endsWith('counts') ? join(directory, 'counts') : directory, join(workDir, path))
      expect(await publish()).toMatchObject({
        manifest: { files: 3, skipped: [{ path: 'counts', reason: 'is a symbolic link' }] },
      })
      expect(readdirSync(join(resultsDir, 'e-1/counts'))).toEqual([])
    },
  )

  test('logs that are links are not followed', async () => {
    rmSync(join(workDir, 'stdout'))
    symlinkSync(join(directory, 'secret'), join(workDir, 'stdout'))
    await publish()
    expect(published('stdout')).toBe('')
  })

  test('more bytes or files than allowed are refused, and nothing is left', async () => {
    writeFileSync(join(workDir, 'root/outputs/counts/big'), Buffer.alloc(1_001))
    await expect(publish()).rejects.toMatchObject({ code: 'RESULTS_TOO_LARGE' })
    expect(readdirSync(resultsDir)).toEqual([])
  })

  test('takes what a job closed to writing', async () => {
    chmodSync(join(workDir, 'root/outputs/counts'), 0o500)
    expect(await publish()).toMatchObject({ manifest: { files: 4 } })
    await removeTree(workDir)
    expect(existsSync(workDir)).toBe(false)
  })

  test('directories that lie deeper than any path may be long are removed', async () => {
    const dig = `for (let n = 0; n < 60; n += 1) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)) }; fs.writeFileSync('f', '')`
    execFileSync(process.execPath, ['-e', dig], { cwd: join(workDir, 'root') })
    await removeTree(workDir)
    expect(existsSync(workDir)).toBe(false)
  })

  test.each(['../e', '', '.hidden', 'a/b', 'x'.repeat(300), 'a\0'])(
    'an id such as %j is refused',
    async (executionId) => {
      await expect(
        publishResults({ executionId, workDir, resultsDir, results: RESULTS, maxBytes: 1_000 }),
      ).rejects.toBeInstanceOf(TypeError)
    },
  )
})
