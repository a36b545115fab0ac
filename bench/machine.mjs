import { execFile } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Describes what the numbers were measured on, as pairs of a name and a text. */
export async function describeMachine(directory, peerVersions) {
  const processors = cpus()
  return [
    ['CPU', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['load', `${loadavg()[0].toFixed(1)} before the first row; it should be near 0`],
    ['memory', `${(totalmem() / 2 ** 30).toFixed(1)} GiB`],
    ['disk', `${await fileSystem(directory)}; ${syncsPerSecond(directory)} syncs of 4 KB a second`],
    ['kernel', release()],
    ['Node.js', process.versions.node],
    ['Go', peerVersions?.go ?? 'none'],
    ['bbolt', peerVersions?.bbolt ?? 'none'],
    ['SQLite', peerVersions?.sqlite ?? 'none'],
    ['lmdb', lmdbVersion()],
  ]
}

async function fileSystem(directory) {
  try {
    return (await run('findmnt', ['-n', '-o', 'FSTYPE,SOURCE', '-T', directory])).stdout
      .trim()
      .replace(/\s+/g, ' on ')
  } catch {
    return 'unknown file system'
  }
}

/** Measures the floor under every durable write: how often this disk takes 4 KB and a sync in a second. */
function syncsPerSecond(directory) {
  const path = join(directory, 'sync-floor')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const end = performance.now() + 1_000
  let count = 0
  while (performance.now() < end) {
    writeSync(file, block)
    fdatasyncSync(file)
    count += 1
  }
  closeSync(file)
  rmSync(path)
  return count
}

function lmdbVersion() {
  const workspace = readFileSync(new URL('../pnpm-workspace.yaml', import.meta.url), 'utf8')
  return /^ {2}lmdb: (.*)$/m.exec(workspace)?.[1] ?? 'unknown'
}
