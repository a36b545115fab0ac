import assert from 'node:assert/strict'
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { WireError, WirePage, WireSpecConfig } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { Query } from '../../../src/requester/api/query.ts'
import { ResultLinks } from '../../../src/requester/api/result-links.ts'
import { resultsKey } from '../../../src/results-key.ts'
import { noopJob, startTestNode, type TestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'

async function published(flags: readonly string[] = []): Promise<{ node: TestNode; url: string }> {
  const node = await startTestNode(flags)
  const Engine = { Type: 'noop', Params: { Stdout: 'hello' } }
  const id = await node.submit(noopJob({ Tasks: [{ Name: 'main', Engine, Publisher: { Type: 'local' } }] }))
  await node.until(id, 'Completed')
  const { body } = await node.request<WirePage<WireSpecConfig>>('GET', `${JOBS}/${id}/results`)
  const [result] = body.Items
  assert.equal(result?.Type, 'urlDownload')
  return { node, url: String(result?.Params?.['URL']) }
}

test('results are fetched by their address, whole and in parts', async () => {
  const { node, url } = await published()
  assert.ok(url.startsWith(`${node.url}/api/v1/saltcod/results/e-`), url)
  assert.match(url, /\.tar\.gz\?expires=\d+&signature=[\w-]{43}$/)
  const answer = await fetch(url)
  assert.equal(answer.status, 200)
  const etag = String(answer.headers.get('etag'))
  const whole = Buffer.from(await answer.arrayBuffer())
  assert.equal(answer.headers.get('content-length'), String(whole.length))
  assert.match(gunzipSync(whole).toString('latin1'), /exitCode.*stderr.*stdout/s)
  const get = async (headers: Record<string, string>, method = 'GET') => {
    const { status, headers: got, body } = await fetch(url, { method, headers })
    const bytes = body === null ? Buffer.alloc(0) : Buffer.from(await new Response(body).arrayBuffer())
    return { status, bytes, range: got.get('content-range'), length: got.get('content-length') }
  }
  const rest = await get({ range: 'bytes=100-', 'if-range': etag })
  assert.deepEqual([rest.status, rest.range], [206, `bytes 100-${whole.length - 1}/${whole.length}`])
  assert.ok(rest.bytes.equals(whole.subarray(100)))
  assert.ok((await get({ range: 'bytes=5-9' })).bytes.equals(whole.subarray(5, 10)))
  assert.ok((await get({ range: 'bytes=-7' })).bytes.equals(whole.subarray(-7)))
  const other = await get({ range: 'bytes=100-', 'if-range': '"another"' })
  assert.ok(other.status === 200 && other.bytes.equals(whole))
  assert.equal((await get({ range: 'bytes=1-2,4-5' })).status, 200)
  const behind = await get({ range: `bytes=${whole.length}-` })
  assert.deepEqual([behind.status, behind.range], [416, `bytes */${whole.length}`])
  assert.equal((await get({ 'if-none-match': etag })).status, 304)
  const head = await get({}, 'HEAD')
  assert.deepEqual([head.status, head.length, head.bytes.length], [200, String(whole.length), 0])
})

test('an address that was made up, changed, or is of removed results gives nothing', async () => {
  const { node, url } = await published()
  const statusOf = async (address: string): Promise<number> => {
    const answer = await fetch(address)
    await answer.arrayBuffer()
    return answer.status
  }
  assert.equal(await statusOf(url.replace(/\?.*/, '')), 403)
  assert.equal(await statusOf(url.replace(/signature=.{4}/, 'signature=AAAA')), 403)
  assert.equal(await statusOf(url.replace(/expires=(\d)/, 'expires=9$1')), 403)
  assert.equal(await statusOf(url.replace(/results\/e-/, 'results/e-0')), 403)
  assert.equal(await statusOf(url.replace('.tar.gz', '.zip')), 404)
  rmSync(join(node.directory, 'n-test-compute', 'results'), { recursive: true })
  const gone = await fetch(url)
  assert.equal(gone.status, 404)
  assert.match(((await gone.json()) as WireError).Message, /no results of execution .* are kept any more/)
})

test('an address ends', () => {
  let nowMs = 1_000_000
  const links = new ResultLinks({
    key: Buffer.alloc(32),
    publicUrl: 'https://jobs.example/x',
    clock: () => nowMs,
  })
  const url = new URL(links.urlOf('e-1', { host: 'h', protocol: 'http', raw: {} as never }))
  assert.equal(url.origin + url.pathname, 'https://jobs.example/x/api/v1/saltcod/results/e-1.tar.gz')
  const query = new Query({ url: url.href })
  assert.equal(links.executionOf('e-1.tar.gz', query), 'e-1')
  nowMs += 3_600_001 + 1000
  assert.throws(() => links.executionOf('e-1.tar.gz', query), /has ended/)
})

test('the key is kept for its owner alone, and replaced where that may not be so any more', () => {
  const repository = temporaryDirectory()
  const path = join(repository, 'results-key')
  const first = resultsKey(repository)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(resultsKey(repository), first)
  chmodSync(path, 0o644)
  const second = resultsKey(repository)
  assert.notDeepEqual(second.key, first.key)
  assert.match(String(second.warnings), /read by others/)
  writeFileSync(path, 'nonsense', { mode: 0o600 })
  const third = resultsKey(repository)
  assert.notDeepEqual(third.key, second.key)
  assert.equal(readFileSync(path, 'latin1').trim(), third.key.toString('hex'))
  const nowhere = resultsKey('/proc/none')
  assert.ok(nowhere.key.length === 32 && nowhere.warnings.length === 1)
})
