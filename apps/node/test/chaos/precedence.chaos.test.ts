import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { AttackedNode } from './attacked-node.ts'
import { shellJob } from './chaos-jobs.ts'

const niceOf = (pid: number | 'self'): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[16])
/** Whether this user may put a process first, and nobody has said otherwise. */
const MAY =
  niceOf('self') === 0 &&
  spawnSync('nice', ['-n', '-15', 'nice'], { encoding: 'utf8' }).stdout.trim() === '-15'

async function niceOfJob(node: AttackedNode): Promise<number> {
  const id = await node.submit(shellJob('batch', 'nice', 'nice'))
  const { Executions } = await node.until(id, 'Completed')
  return Number(Executions?.Items[0]?.RunOutput?.Stdout)
}

test('a node comes before its jobs where it may', async () => {
  const node = new AttackedNode(join(temporaryDirectory(), 'repo'), ['--allow-exec'])
  await node.start()
  expect(niceOf(node.pid)).toBe(MAY ? -15 : niceOf('self'))
  expect(await niceOfJob(node)).toBe(niceOf('self'))
})

test('a node that an operator gave a nice value keeps it, and so do its jobs', async () => {
  const launcher = ['nice', '-n', '3']
  const node = new AttackedNode(join(temporaryDirectory(), 'repo'), ['--allow-exec'], {}, {}, launcher)
  await node.start()
  const given = Math.min(niceOf('self') + 3, 19)
  expect(niceOf(node.pid)).toBe(given)
  expect(await niceOfJob(node)).toBe(given)
})

test('a node that runs no jobs comes before nobody', async () => {
  const node = new AttackedNode(join(temporaryDirectory(), 'repo'), ['--node-type', 'requester'])
  await node.start()
  expect(niceOf(node.pid)).toBe(niceOf('self'))
})
