import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { expect, test } from 'vitest'
import { smallDisk } from '../../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { DEFAULT_INPUT_POLICY } from '../../src/inputs/input-policy.ts'
import { stageWork } from '../../src/inputs/stage.ts'
import { publishResults } from '../../src/publishers/local/publish-results.ts'

const ENTRIES = 24
const FULL = /no space left on device/

/** A disk on which no file and no directory can be made beside so many. */
function diskWithRoomFor(entries: number): { readonly disk: string; full(free: number): void } | undefined {
  const disk = smallDisk(`1m,nr_inodes=${entries}`)
  if (disk === undefined) return undefined
  const ballast = join(disk, 'ballast')
  return {
    disk,
    full(free) {
      rmSync(ballast, { recursive: true, force: true })
      mkdirSync(ballast)
      let made = 0
      try {
        for (; ; made++) writeFileSync(join(ballast, String(made)), '')
      } catch {
        // It is full.
      }
      for (let at = made - free; at < made; at++) rmSync(join(ballast, String(at)))
    },
  }
}

async function packed(): Promise<string> {
  const tar = pack()
  tar.entry({ name: 'a/b/c/file' }, 'text')
  tar.finalize()
  return `data:application/gzip;base64,${(await buffer(tar.pipe(createGzip()))).toString('base64')}`
}

test('a full disk is named wherever a directory of a run cannot be made', async (context) => {
  const small = diskWithRoomFor(ENTRIES)
  if (small === undefined) {
    context.skip('mounting a small file system is not permitted here')
    return
  }
  const outside = temporaryDirectory()
  const source = join(outside, 'tree')
  mkdirSync(join(source, 'x/y'), { recursive: true })
  const inline = {
    Source: { Type: 'inline', Params: { URL: await packed() } },
    Alias: '',
    Target: '/in/packed',
  }
  const local = {
    Source: { Type: 'local', Params: { SourcePath: source } },
    Alias: '',
    Target: '/deep/er/local',
  }
  const workDir = join(small.disk, 'runs/e-1')
  const stage = () =>
    stageWork({
      workDir,
      inputs: [inline, local],
      results: [{ Name: 'out', Path: '/out/put' }],
      policy: { ...DEFAULT_INPUT_POLICY, allowedPaths: [source] },
      signal: new AbortController().signal,
    })
  const messages: string[] = []
  for (let free = 0; free < ENTRIES; free++) {
    small.full(free)
    const message = await stage().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    if (message === null) break
    messages.push(message)
    rmSync(join(small.disk, 'runs'), { recursive: true, force: true })
  }
  expect(messages.length).toBeGreaterThan(8)
  for (const message of messages) expect(message).toMatch(FULL)
  for (const message of messages) expect(message).not.toMatch(/tar\.gz/)

  small.full(0)
  const publish = publishResults({
    executionId: 'e-1',
    workDir,
    resultsDir: join(small.disk, 'results/local'),
    results: [],
    exitCode: 0,
    maxBytes: 1_000,
  })
  await expect(publish).rejects.toThrow(FULL)
})
