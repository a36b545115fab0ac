import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../../../test/eventually.ts'
import type { AttackedNode } from './attacked-node.ts'

const PROBE = new URL('memory-probe.mjs', import.meta.url)

/** What a process holds once its garbage is collected. */
export interface Footprint {
  /** Objects and buffers of JavaScript, live ones only. */
  readonly liveBytes: number
  /** What the heap of JavaScript takes, with its holes. */
  readonly heapBytes: number
  /** Memory that belongs to no file, as the system sees it. */
  readonly privateBytes: number
}

/** Open files by what they are: `socket`, `pipe`, or the path. */
export type OpenFiles = Readonly<Record<string, number>>

/** The environment of a node whose footprint can be taken. */
export function probedEnvironment(directory: string): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--expose-gc --import=${PROBE.href}`,
    MEMORY_PROBE: join(directory, 'memory.json'),
  }
}

/** Takes the footprint of a node with a {@link probedEnvironment} in the same directory. */
export async function footprintOf(node: AttackedNode, directory: string): Promise<Footprint> {
  const path = join(directory, 'memory.json')
  rmSync(path, { force: true })
  node.send('SIGUSR2')
  await eventually('the node tells what it holds', () => existsSync(path))
  const { heapUsed, heapTotal, external } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>
  const status = readFileSync(`/proc/${node.pid}/status`, 'latin1')
  return {
    liveBytes: Number(heapUsed) + Number(external),
    heapBytes: Number(heapTotal),
    privateBytes: Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1]) * 1024,
  }
}

/** Counts the open files of a process. */
export function openFilesOf(pid: number): OpenFiles {
  const counts: Record<string, number> = {}
  const directory = `/proc/${pid}/fd`
  for (const fd of readdirSync(directory)) {
    const target = targetOf(join(directory, fd))
    counts[target] = (counts[target] ?? 0) + 1
  }
  return counts
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path).replace(/:\[.*$/, '')
  } catch {
    return 'closed meanwhile'
  }
}
