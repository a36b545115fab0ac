import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { afterAll, beforeAll, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { ArchivedItem, ArchivedJobAnswer } from '../../src/archive/archive-routes.ts'
import type { CompactionReport } from '../../src/compaction/compaction-report.ts'
import { COMMANDS, jobUntil, type Served, saltcod, serveNode } from './binary.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

async function submit(url: string, name: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/orchestrator/jobs`, {
    method: 'PUT',
    body: JSON.stringify({
      Job: {
        Name: name,
        Type: 'batch',
        Count: 1,
        Labels: { team: 'blue' },
        Tasks: [{ Name: 'main', Engine: { Type: 'noop' } }],
      },
    }),
  })
  return ((await response.json()) as { JobID: string }).JobID
}

async function stop(node: Served): Promise<void> {
  node.signal('SIGTERM')
  assert.equal((await node.exited).code, 0)
}

const withoutJob = ({ Executions }: WireGetJobAnswer): unknown =>
  Executions?.Items.map(({ Job: _job, ...execution }) => execution)

test('removed jobs are in the archive, and come back from it whole', async () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'saltcod.yaml'), 'Node: { Requester: { Archive: { Directory: archive } } }\n')
  const { url, env, log } = await serveNode(directory)
  const ids = [await submit(url, 'one'), await submit(url, 'two'), await submit(url, 'three')]
  for (const id of ids) await jobUntil(url, id, 'Completed')
  const before = await jobUntil(url, ids[1] ?? '', 'Completed')
  const removed = await session.run(['gc', '--max-age', '0s'], { env })
  assert.match(removed.stdout, /^Removed 3 jobs, .*\nThey are in the archive\.\n$/)
  const page = await session.run(['archive', 'list', '--limit', '2', '--output', 'json'], { env })
  const first = JSON.parse(page.stdout) as ArchivedItem[]
  assert.equal(first.length, 2)
  const token = /--next-token (\S+)/.exec(page.stderr)?.[1] ?? ''
  const rest = await session.run(['archive', 'list', '--next-token', token, '--output', 'csv'], { env })
  const [header, line] = rest.stdout.split('\n').map((row) => row.split(','))
  assert.deepEqual(header, ['ARCHIVED', 'ID', 'NAME', 'NAMESPACE', 'STATE', 'FINISHED'])
  assert.deepEqual([...first.map(({ ID }) => ID), line?.[1]].sort(), [...ids].sort())
  assert.deepEqual([rest.stderr, first[0]?.State, first[0]?.Namespace], ['', 'Completed', 'default'])
  const shown = await session.run(['archive', 'show', 'two', '--output', 'json'], { env })
  const { ArchivedAt, ...archived } = JSON.parse(shown.stdout) as ArchivedJobAnswer
  assert.deepEqual(archived.Job, before.Job)
  // The archive has the job once.
  assert.deepEqual(archived.Executions?.Items, withoutJob(before))
  assert.deepEqual(archived.History?.Items, before.History?.Items)
  assert.ok(Date.parse(ArchivedAt) > 0)
  const text = await session.run(['archive', 'show', ids[1]?.slice(0, 10) ?? ''], { env })
  assert.match(text.stdout, /Name +two\n[\s\S]*History\n[\s\S]*Archived 2/)

  const back = await session.run(['archive', 'restore', 'two'], { env })
  assert.deepEqual(
    [back.code, back.stdout],
    [0, `Job ${ids[1]} is back, and held: restored from the archive\n`],
  )
  const after = (await jobUntil(url, ids[1] ?? '', 'Completed')) as WireGetJobAnswer
  const { Revision: _before, ModifyTime: _at, ...jobBefore } = before.Job
  const { Revision: _after, ModifyTime: _then, ...jobAfter } = after.Job
  assert.deepEqual(jobAfter, {
    ...jobBefore,
    Meta: { ...jobBefore.Meta, 'saltcod/hold': 'restored from the archive' },
  })
  assert.deepEqual(withoutJob(after), withoutJob(before))
  assert.deepEqual(after.History?.Items.slice(0, -1), before.History?.Items)
  const again = await session.run(['archive', 'restore', 'two'], { env })
  assert.equal(again.code, 1)
  assert.match(again.stderr, /^Error: job j-\S+ exists already\nHint: look at the one that is there/)
  const none = await session.run(['archive', 'show', 'nothing'], { env })
  assert.deepEqual([none.code, /job not found in the archive/.test(none.stderr)], [1, true])
  const held = await session.run(['gc', '--max-age', '0s'], { env })
  assert.equal(held.stdout, 'Removed 0 jobs, 0 B of records.\nLeft alone: 1 held.\n')
  assert.match(log(), /a job was restored from the archive/)
}, 120_000)

test('a node starts with a line of the manifest that did not reach the disk whole, and tells of it', async () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'saltcod.yaml'), 'Node: { Requester: { Archive: { Directory: archive } } }\n')
  const manifest = join(directory, 'archive', 'manifest.ndjson')
  const first = await serveNode(directory)
  const ids: string[] = []
  let begin = 0
  for (const name of ['one', 'two']) {
    begin = readFileSync(manifest).length
    ids.push(await submit(first.url, name))
    await jobUntil(first.url, ids.at(-1) ?? '', 'Completed')
    await session.run(['gc', '--max-age', '0s'], { env: first.env })
  }
  await stop(first)
  const whole = readFileSync(manifest)
  writeFileSync(manifest, Buffer.from(whole).fill(0, begin, begin + 100))
  const remade = await serveNode(directory)
  assert.match(remade.log(), /line 3 of \S+manifest\.ndjson did not reach the disk whole; it was made again/)
  const list = await session.run(['archive', 'list', '--output', 'json'], { env: remade.env })
  assert.deepEqual(
    (JSON.parse(list.stdout) as ArchivedItem[]).map(({ ID }) => ID),
    ids,
  )
  await stop(remade)
  writeFileSync(manifest, whole.subarray(0, -20))
  const cut = await serveNode(directory)
  assert.match(cut.log(), /line 3 of \S+manifest\.ndjson was not finished .*: \d+ bytes were cut off/)
  await stop(cut)
  writeFileSync(manifest, whole.fill(120, begin - 30, begin - 20))
  const refused = await saltcod(['serve', '--repo', directory, '--port', '0'])
  assert.deepEqual(
    [refused.code, /Error: cannot open the archive: line 2 of \S+ is damaged\n/.test(refused.stderr)],
    [2, true],
  )
}, 120_000)

test('a node without an archive says so, one that cannot open it does not start', async () => {
  const directory = temporaryDirectory()
  const { env, url } = await serveNode(directory)
  const list = await session.run(['archive', 'list'], { env })
  assert.equal(list.code, 1)
  assert.match(
    list.stderr,
    /^Error: this node keeps no archive\nHint: set Node\.Requester\.Archive\.Directory/,
  )
  const compacted = await session.run(['compact', '--output', 'json'], { env })
  if (compacted.code === 0) {
    const report = JSON.parse(compacted.stdout) as CompactionReport
    assert.ok(report.bytesBefore > 0 && report.durationMs > 0, compacted.stdout)
    assert.deepEqual(
      report.stores.map(({ store }) => store),
      ['jobs', 'executions'],
    )
  } else assert.match(compacted.stderr, /^Error: this store cannot be rewritten\nHint: /)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /^saltcod_store_file_bytes\{store="jobs"\} [1-9]/m)

  const other = temporaryDirectory()
  writeFileSync(join(other, 'file'), '')
  writeFileSync(join(other, 'saltcod.yaml'), 'Node: { Requester: { Archive: { Directory: file } } }\n')
  const refused = await saltcod(['serve', '--repo', other, '--port', '0'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /Error: cannot open the archive: \S+\/file is no directory of an archive\n/)
}, 120_000)
