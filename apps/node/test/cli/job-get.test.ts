import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { smallDisk } from '../../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { closedPort, type Ran, saltcod, serveNode } from './binary.ts'
import { RunningCommand } from './running-command.ts'

const EXECUTION = 'e-00000001-0000-4000-8000-000000000000'
const JOB = 'j-00000001-0000-4000-8000-000000000000'

/** A node that has results of one job, and sends them as a test wants. */
interface Archive {
  bytes: Buffer
  tag: string
  /** Breaks the connection after so many bytes of an answer. */
  breakAfter?: number | undefined
  /** Sends this part whatever was asked for. */
  sendsFrom?: number
  /** The first byte of each answer. */
  readonly asked: number[]
}

async function playedNode(archive: Archive): Promise<Readonly<Record<string, string>>> {
  const server = createServer((request, response) => answer(archive, request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { BACALHAU_API_HOST: '127.0.0.1', BACALHAU_API_PORT: String(port), HOME: temporaryDirectory() }
}

function answer(archive: Archive, request: IncomingMessage, response: ServerResponse): void {
  const path = new URL(request.url ?? '', 'http://node').pathname
  const json = (body: object): void => void response.end(JSON.stringify(body))
  if (path.endsWith('/results')) {
    const URL = `http://elsewhere:1/api/v1/saltcod/results/${EXECUTION}.tar.gz?expires=1&signature=x`
    json({ NextToken: '', Items: [{ Type: 'urlDownload', Params: { ExecutionID: EXECUTION, URL } }] })
    return
  }
  if (path.includes('/orchestrator/jobs/')) {
    json({ Job: { ID: JOB, Version: 1, State: { StateType: 'Completed', Message: '' } } })
    return
  }
  const { bytes, tag, breakAfter, sendsFrom, asked } = archive
  const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const from = sendsFrom ?? (request.headers['if-range'] === tag ? first : 0)
  asked.push(from)
  const part = bytes.subarray(from)
  response.writeHead(from === 0 ? 200 : 206, {
    etag: tag,
    'content-length': part.length,
    ...(from === 0 ? {} : { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
  })
  if (breakAfter === undefined) response.end(part)
  else response.write(part.subarray(0, breakAfter), () => response.destroy())
}

async function archiveOf(
  ...entries: readonly (readonly [Partial<Header> & { name: string }, string])[]
): Promise<Archive> {
  const tar = pack()
  for (const [header, text] of entries) tar.entry(header as Header, text)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  return { bytes: gzipSync(Buffer.concat(chunks), { level: 0 }), tag: '"one"', asked: [] }
}

function lostAndFound(): Promise<Archive> {
  return archiveOf(
    [{ name: 'stdout' }, 'hello\n'],
    [{ name: 'outputs/', type: 'directory' }, ''],
    [{ name: 'outputs/big' }, 'x'.repeat(500_000)],
  )
}

test('a download that is broken off goes on where it was', async () => {
  const archive = await lostAndFound()
  archive.breakAfter = 200_000
  const env = await playedNode(archive)
  const target = join(temporaryDirectory(), 'out')
  const got = await saltcod(['job', 'get', 'j-00000001', '--output-dir', target], { env })
  assert.equal(got.code, 0, got.stderr)
  assert.match(got.stdout, /^2 files, 500 kB, checked and in /)
  assert.ok(archive.asked.length >= 3 && archive.asked.every((from, at) => at === 0 || from > 0))
  assert.deepEqual(readdirSync(target), ['outputs', 'stdout'])
  assert.equal(readFileSync(join(target, 'outputs/big'), 'utf8'), 'x'.repeat(500_000))
})

test('another try goes on where one that was killed has stopped, unless the results are others now', async () => {
  const archive = await lostAndFound()
  const { length } = archive.bytes
  const env = await playedNode(archive)
  const target = join(temporaryDirectory(), 'out')
  const work = join(target, `.saltcod-get-${EXECUTION}`)
  const leave = (tag: string): void => {
    mkdirSync(work, { recursive: true })
    writeFileSync(join(work, 'archive.tar.gz'), archive.bytes.subarray(0, 1000))
    writeFileSync(join(work, 'begun.json'), JSON.stringify({ tag, bytes: length }))
  }
  leave('"one"')
  const first = await saltcod(['job', 'get', JOB, '--output-dir', target], { env })
  assert.deepEqual([first.code, archive.asked], [0, [1000]], first.stderr)
  const other = join(target, 'other')
  mkdirSync(other)
  const moved = join(other, `.saltcod-get-${EXECUTION}`)
  mkdirSync(moved)
  writeFileSync(join(moved, 'archive.tar.gz'), 'what was before')
  writeFileSync(join(moved, 'begun.json'), JSON.stringify({ tag: '"none"', bytes: length }))
  const second = await saltcod(['job', 'get', JOB, '--output-dir', other], { env })
  assert.deepEqual([second.code, archive.asked], [0, [1000, 0]], second.stderr)
})

test('one that was killed while it put results in place puts the rest there', async () => {
  const archive = await lostAndFound()
  const env = await playedNode(archive)
  const target = temporaryDirectory()
  const work = join(target, `.saltcod-get-${EXECUTION}`)
  mkdirSync(join(work, 'files/outputs'), { recursive: true })
  writeFileSync(join(target, 'stdout'), 'hello\n')
  const unpacked = { files: 2, bytes: 500_006 }
  writeFileSync(
    join(work, 'begun.json'),
    JSON.stringify({ tag: '"one"', bytes: archive.bytes.length, unpacked }),
  )
  const got = await saltcod(['job', 'get', JOB, '--output-dir', target], { env })
  assert.deepEqual([got.code, archive.asked], [0, []], got.stderr)
  assert.deepEqual(readdirSync(target), ['outputs', 'stdout'])
})

test('a full disk is told, and the next try needs nothing again', async (context) => {
  const target = smallDisk('1500k')
  if (target === undefined) return context.skip('a small disk takes a user who may mount one')
  const archive = await lostAndFound()
  const env = await playedNode(archive)
  const ballast = join(target, 'ballast')
  writeFileSync(ballast, Buffer.alloc(700_000))
  const get = (): Promise<Ran> => saltcod(['job', 'get', JOB, '--output-dir', target], { env })
  const full = await get()
  assert.equal(full.code, 1)
  assert.match(
    full.stderr,
    /^Error: the results cannot be written to .*: the disk is full\nHint: free some space/,
  )
  rmSync(ballast)
  const got = await get()
  assert.deepEqual([got.code, archive.asked], [0, [0]], got.stderr)
  assert.equal(statSync(join(target, 'outputs/big')).size, 500_000)
})

test('nothing that is there is replaced', async () => {
  const env = await playedNode(await lostAndFound())
  for (const name of ['stdout', 'outputs']) {
    const target = temporaryDirectory()
    writeFileSync(join(target, name), 'mine')
    const got = await saltcod(['job', 'get', JOB, '--output-dir', target], { env })
    assert.equal(got.code, 1)
    assert.match(got.stderr, new RegExp(`^Error: .* has "${name}" already\\nHint: nothing was replaced`))
    assert.equal(readFileSync(join(target, name), 'utf8'), 'mine')
  }
})

test('a place that cannot be made is told at once, also where the system says that it is not there', async () => {
  const env = await playedNode(await lostAndFound())
  const link = join(temporaryDirectory(), 'link')
  symlinkSync('/none/volume', link)
  for (const [target, reason] of [
    ['/proc/none/x', 'ENOENT'],
    [join(link, 'out'), 'something else is there, or a symbolic link that leads nowhere'],
  ] as const) {
    const got = await saltcod(['job', 'get', JOB, '--output-dir', target], { env })
    assert.equal(got.code, 1, got.stdout)
    assert.ok(
      got.stderr.startsWith(`Error: the results cannot be written to ${target}: ${reason}\n`),
      got.stderr,
    )
  }
})

test('results that are damaged, or whose names lead elsewhere, leave nothing behind', async () => {
  const damaged = await lostAndFound()
  damaged.bytes = Buffer.from(damaged.bytes)
  damaged.bytes.writeUInt8((damaged.bytes[2000] ?? 0) ^ 1, 2000)
  const cases: readonly (readonly [Archive, RegExp])[] = [
    [damaged, /^Error: the results are damaged, or no archive: /],
    [await archiveOf([{ name: '../outside' }, 'x']), /"\.\.\/outside", which would lie outside/],
    [await archiveOf([{ name: '/outside' }, 'x']), /which would lie outside/],
    [
      await archiveOf([{ name: 'link', type: 'symlink', linkname: '/etc' }, ''], [{ name: 'link/x' }, 'x']),
      /"link", which is neither a file nor a directory/,
    ],
    [await archiveOf([{ name: 'stdout' }, 'x'], [{ name: 'stdout' }, 'y']), /damaged, or no archive: EEXIST/],
    [await archiveOf([{ name: 'a' }, 'x'], [{ name: 'a/b' }, 'y']), /damaged, or no archive: /],
  ]
  for (const [archive, message] of cases) {
    const env = await playedNode(archive)
    const parent = temporaryDirectory()
    const got = await saltcod(['job', 'get', JOB, '--output-dir', join(parent, 'out')], { env })
    assert.equal(got.code, 1, got.stdout)
    assert.match(got.stderr, message)
    assert.deepEqual([readdirSync(parent), readdirSync(join(parent, 'out'))], [['out'], []])
  }
})

test('a part of the results that nobody asked for is refused', async () => {
  const archive = { ...(await lostAndFound()), sendsFrom: 5 }
  const target = join(temporaryDirectory(), 'out')
  const got = await saltcod(['job', 'get', JOB, '--output-dir', target], { env: await playedNode(archive) })
  assert.deepEqual([got.code, archive.asked], [1, [5]])
  assert.match(got.stderr, /^Error: the node sends another part of the results than was asked for/)
})

test('results are named where a job ended, and come from a real node, over a restart of it', async () => {
  const directory = temporaryDirectory()
  const flags = ['--port', await closedPort(), '--allow-exec']
  const first = await serveNode(directory, flags)
  const script = 'head -c 30000000 /dev/zero >out/zeros; echo done'
  const task = {
    Name: 'main',
    Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } },
    Network: { Type: 'Host' },
    Publisher: { Type: 'local' },
    ResultPaths: [{ Name: 'out', Path: '/out' }],
  }
  const job = JSON.stringify({ Name: 'giver', Type: 'batch', Tasks: [task] })
  const run = await saltcod(['job', 'run', '-'], { env: first.env, input: job })
  assert.equal(run.code, 0, run.stderr)
  assert.match(
    run.stdout,
    /\nIts results are on node n-\S+ \(4 files, 30\.0 MB\)\. To get them, run: {2}saltcod job get j-/,
  )
  const described = await saltcod(['job', 'describe', 'giver'], { env: first.env })
  assert.match(
    described.stdout,
    /^Results {5}4 files, 30\.0 MB on n-\S+; saltcod job get j-\S+ brings them$/m,
  )
  const json = JSON.parse(
    (await saltcod(['job', 'describe', 'giver', '--output', 'json'], { env: first.env })).stdout,
  )
  assert.match(json.Results.Command, /^saltcod job get j-/)
  assert.equal(json.Results.Executions[0].Files, 4)
  const target = join(temporaryDirectory(), 'out')
  const getting = new RunningCommand(['job', 'get', 'giver', '--output-dir', target], first.env)
  await eventually('it has begun', () => existsSync(target) || getting.stdout !== '')
  first.signal('SIGKILL')
  await first.exited
  await serveNode(directory, flags)
  assert.equal(await getting.exited, 0, getting.stderr)
  assert.deepEqual(readdirSync(target), ['exitCode', 'out', 'stderr', 'stdout'])
  assert.equal(statSync(join(target, 'out/zeros')).size, 30_000_000)
  assert.equal(readFileSync(join(target, 'stdout'), 'utf8'), 'done\n')
}, 60_000)
