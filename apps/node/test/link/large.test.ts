import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { ApiClient } from '../../src/client/api-client.ts'
import { AttackedNode } from '../chaos/attacked-node.ts'
import { saltcod } from '../cli/binary.ts'

const MEBIBYTE = 1024 ** 2
const LOG_BYTES = (IS_LONG ? 1_024 : 112) * MEBIBYTE
const RESULT_BYTES = (IS_LONG ? 4_096 : 128) * MEBIBYTE
/** Chunks on their way, and what the garbage collector leaves for later. */
const ROOM_BYTES = 96 * MEBIBYTE
const LINE = '0123456789'.repeat(6).concat('012\n')

/** The most memory that a process has had so far. */
function peakBytes({ pid }: AttackedNode): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) * 1024
}

function loud(name: string, logBytes: number, resultBytes: number): object {
  const script = [
    `yes ${LINE.trim()} | head -c ${logBytes}`,
    `head -c ${resultBytes} /dev/zero >outputs/large`,
    'true',
  ].join('\n')
  return {
    Type: 'batch',
    Name: name,
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } },
        Resources: { CPU: '0.1', Memory: '100mb', Disk: '6gb' },
        Publisher: { Type: 'local' },
        ResultPaths: [{ Name: 'outputs', Path: '/outputs' }],
      },
    ],
  }
}

test('a large log is followed and a large result fetched across the link in the same memory as small ones', {
  timeout: IS_LONG ? 3_000_000 : 120_000,
}, async () => {
  const directory = temporaryDirectory()
  const requester = new AttackedNode(join(directory, 'requester'), ['--node-type', 'requester'])
  await requester.start()
  const url = await requester.url()
  const flags = ['--node-type', 'compute', '--allow-exec', '--orchestrators', url]
  const compute = new AttackedNode(join(directory, 'compute'), flags, {
    Quota: { OutputSize: '2GB', ResultSize: '6GB' },
  })
  await compute.start()
  const env = { BACALHAU_DIR: directory, BACALHAU_API_PORT: new URL(url).port }

  const transfer = async (name: string, logBytes: number, resultBytes: number): Promise<void> => {
    const id = await requester.submit(loud(name, logBytes, resultBytes))
    await eventually(`${name} has begun`, async () => {
      const { Executions } = await requester.job(id)
      return (Executions?.Items ?? []).length > 0
    })
    let bytes = 0
    for await (const { text } of new ApiClient({ base: url }).readLog(id, { follow: true, tail: false })) {
      if (bytes % LINE.length === 0 && text.length >= LINE.length) assert.ok(text.startsWith(LINE))
      bytes += Buffer.byteLength(text)
    }
    expect(bytes).toBe(logBytes)
    await eventually(
      `${name} completes`,
      async () => (await requester.job(id)).Job.State.StateType === 'Completed',
      600_000,
    )
    const target = join(directory, `got-${name}`)
    const got = await saltcod(['job', 'get', id, '--output-dir', target], { env })
    expect(got.code, got.stderr).toBe(0)
    expect(statSync(join(target, 'outputs', 'large')).size).toBe(resultBytes)
  }

  await transfer('small', 2 * MEBIBYTE, 4 * MEBIBYTE)
  const before = [requester, compute].map(peakBytes)
  await transfer('large', LOG_BYTES, RESULT_BYTES)
  const grown = [requester, compute].map((node, index) => peakBytes(node) - (before[index] ?? 0))
  const told = grown.map((bytes) => `${Math.round(bytes / MEBIBYTE)} MiB`).join(' and ')
  for (const bytes of grown) expect(bytes, told).toBeLessThan(ROOM_BYTES)
  if (IS_LONG) process.stdout.write(`requester and compute node grew by ${told}\n`)
})
