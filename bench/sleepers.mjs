import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { ServedNode } from './served-node.mjs'

const HELP = `Lets many jobs sleep at once on a real node in its default configuration, and measures what looking after them takes.

  --exec N       native jobs (default 500)
  --guests N     WebAssembly guests (default 200)
  --seconds N    how long processor time is measured (default 20)
  --dir DIR      where the node works (default: a temporary directory)

Memory is the proportional set size (smaps_rollup) of the node and of all below it, but for the programs of the jobs. Ends with exit code 1 where
a bound is not held. Build first.
`
/** A guest that sleeps for an hour in one call of \`poll_oneoff\`. */
const SLEEPER = Buffer.from(
  '0061736d01000000010c0260047f7f7f7f017f60000002260116776173695f736e617073686f745f70726576696577310b706f6c6c5f6f6e656f6666' +
    '0000030201010503010001071302066d656d6f72790200065f737461727400010a11010f00410041c000410141800110001a0b0b14020041100b0101' +
    '0041180b0800a0b83046030000',
  'hex',
)
const GUEST_BYTES = 65_536
/** Beyond it a job is ended. */
const MOST_PROCESSES = 2_048
const MIB = 1024 * 1024
const MOST_PER_EXEC = 2 * MIB
const MOST_PER_GUEST = 20 * MIB
const MOST_CORES = 0.5
const MOST_STOP_MS = 1_000
/** Asks for little, so that many run at a time. */
const LITTLE = { CPU: '0.001', Memory: '1mb', Disk: '1mb' }
const SLEEP = {
  Engine: { Type: 'exec', Params: { Command: 'sleep', Arguments: ['3600'] } },
  Resources: LITTLE,
}
const GUEST = {
  Engine: { Type: 'wasm', Params: { EntryModule: '/m.wasm' } },
  InputSources: [
    {
      Source: {
        Type: 'inline',
        Params: { URL: `data:application/wasm;base64,${SLEEPER.toString('base64')}` },
      },
      Target: '/m.wasm',
    },
  ],
  Resources: LITTLE,
}
const script = (text, Memory) => ({
  Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', text] } },
  Resources: { ...LITTLE, Memory },
})
const FORK_BOMB = script('bomb() { bomb | bomb & }; bomb; sleep 3600', '2gb')
const OVERRUN_BYTES = 64_000_000
const OVERRUN = script('head -c 1000m /dev/zero | tail; sleep 3600', '64mb')
const TICKS_PER_SECOND = 100
const CALLERS = 16

const { values } = parseArgs({
  options: {
    exec: { type: 'string', default: '500' },
    guests: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  const [programs, guests] = [Number(values.exec), Number(values.guests)]
  const directory = mkdtempSync(join(values.dir, 'saltcod-sleepers-'))
  const node = await ServedNode.start(directory, ['--allow-exec'])
  const keeper = look(node.pid).keeperPid
  try {
    const idle = await measure(node)
    await Promise.all([submitMany(node, SLEEP, programs)])
    const withPrograms = await measure(node)
    await submitMany(node, GUEST, guests)
    const all = await measure(node)
    const others = processCount()
    const stops = {
      bombMs: await timeBeyond(node, FORK_BOMB, () => (processCount() - others) / MOST_PROCESSES),
      overrunMs: await timeBeyond(node, OVERRUN, () => largest('tail') / OVERRUN_BYTES),
    }
    print({ idle, withPrograms, all, stops, programs, guests })
  } finally {
    // Without the grace that a node gives what runs. Its keeper ends all of that.
    await node.end('SIGKILL')
    while (existsSync(`/proc/${keeper}`)) await delay(50)
    rmSync(directory, { recursive: true, force: true })
  }
}

function print({ idle, withPrograms, all, stops, programs, guests }) {
  const table = new Table({
    head: [
      '',
      'node',
      'keeper',
      'helpers of programs',
      'runners',
      'programs',
      'processes',
      'open files of the keeper',
      'of the node',
      'cores: node',
      'keeper',
      'helpers',
    ],
    style: { head: [], border: [] },
  })
  const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`
  for (const [name, { bytes, processes, files, nodeFiles, cores }] of Object.entries({
    idle,
    [`${programs} programs`]: withPrograms,
    [`and ${guests} guests`]: all,
  })) {
    const parts = ['node', 'keeper', 'helper', 'runner', 'program'].map((part) => mib(bytes[part]))
    table.push([
      name,
      ...parts,
      processes,
      files,
      nodeFiles,
      ...['node', 'keeper', 'helper'].map((part) => cores[part].toFixed(3)),
    ])
  }
  process.stdout.write(`${table.toString()}\n`)
  const looking = ({ bytes }) => bytes.node + bytes.keeper + bytes.helper + bytes.runner
  const rows = [
    ['for each program, MiB', looking(withPrograms) / programs / MIB, MOST_PER_EXEC / MIB],
    [
      'for each guest, MiB',
      (looking(all) - looking(withPrograms)) / guests / MIB - GUEST_BYTES / MIB,
      MOST_PER_GUEST / MIB,
    ],
    ['cores for all', all.cores.node + all.cores.keeper + all.cores.helper, MOST_CORES],
    ['fork bomb, ms from its limit of processes to none of them', stops.bombMs, MOST_STOP_MS],
    ['memory overrun, ms from its limit of memory to none of it', stops.overrunMs, MOST_STOP_MS],
  ]
  const results = new Table({ head: ['', 'seen', 'at most'], style: { head: [], border: [] } })
  for (const [name, seen, most] of rows) {
    results.push([name, seen.toFixed(2), most])
    if (!(seen <= most)) process.exitCode = 1
  }
  process.stdout.write(`${results.toString()}\n`)
}

async function submit(node, task) {
  const job = {
    Name: `j-${Math.random().toString(36).slice(2)}`,
    Type: 'batch',
    Count: 1,
    Tasks: [{ Name: 'main', ...task }],
  }
  const { JobID } = await node.call('PUT', '/api/v1/orchestrator/jobs', { Job: job })
  return JobID
}

async function submitMany(node, task, count) {
  let left = count
  const caller = async () => {
    while (left > 0) {
      left -= 1
      await untilSeen(node, await submit(node, task), ({ state }) => state === 'Running')
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}

/** Polls until what is seen of a job is as wanted; returns what was seen. */
async function untilSeen(node, jobId, isWanted) {
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 1.6, 100)) {
    const state = await stateOf(node, jobId)
    if (isWanted({ state })) return
    if (state !== 'Pending' && state !== 'Queued' && state !== 'Running')
      throw new Error(`a job ended as ${state}`)
    await delay(waitMs)
  }
}

async function stateOf(node, jobId) {
  const { Job } = await node.call('GET', `/api/v1/orchestrator/jobs/${jobId}`)
  return Job.State.StateType
}

/** How long a job goes on beyond its limit, until what exceeds that is gone. */
async function timeBeyond(node, task, excess) {
  const jobId = await submit(node, task)
  let exceededMs
  for (;;) {
    await delay(5)
    const share = excess()
    if (share > 1) exceededMs ??= performance.now()
    else if (exceededMs !== undefined && share < 0.01) break
    // It was stopped between two looks of this loop.
    else if (exceededMs === undefined && (await stateOf(node, jobId)) === 'Failed') return 0
  }
  const ms = performance.now() - exceededMs
  await untilSeen(node, jobId, ({ state }) => state === 'Failed')
  return ms
}

/** The memory of the largest process of a name. */
function largest(wanted) {
  let most = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'latin1') !== `${wanted}\n`) continue
      const status = readFileSync(`/proc/${pid}/status`, 'latin1')
      most = Math.max(most, Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024)
    } catch {
      // Ended meanwhile.
    }
  }
  return most
}

/** Of the whole machine. */
function processCount() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length
}

async function measure({ pid }) {
  await delay(3_000)
  const before = look(pid)
  const beganMs = performance.now()
  await delay(Number(values.seconds) * 1_000)
  const ms = performance.now() - beganMs
  const after = look(pid)
  const cores = (part) => ((after.ticks[part] - before.ticks[part]) * 1_000) / TICKS_PER_SECOND / ms
  return {
    ...after,
    cores: { node: cores('node'), keeper: cores('keeper'), helper: cores('helper') + cores('runner') },
  }
}

/** The memory of the node and of all below it by what they are, and the processor time of all but the programs. */
function look(nodePid) {
  const bytes = { node: 0, keeper: 0, helper: 0, runner: 0, program: 0 }
  const ticks = { node: 0, keeper: 0, helper: 0, runner: 0, program: 0 }
  let processes = 0
  let files = 0
  let nodeFiles = 0
  let keeperPid
  const queue = [nodePid]
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
        .split(' ')
        .filter(Boolean)
        .map(Number)
      const kind = pid === nodePid ? 'node' : kindOf(pid)
      bytes[kind] +=
        Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))[1]) * 1024
      if (kind === 'node') nodeFiles = readdirSync(`/proc/${pid}/fd`).length
      if (kind === 'keeper') {
        keeperPid = pid
        files = readdirSync(`/proc/${pid}/fd`).length
      }
      ticks[kind] += ticksOf(pid)
      processes += 1
      queue.push(...children)
    } catch {
      // Ended meanwhile.
    }
  }
  return { bytes, ticks, processes, files, nodeFiles, keeperPid }
}

function kindOf(pid) {
  const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  if (line.startsWith('saltcod-keeper')) return 'keeper'
  if (line.startsWith('saltcod-runner') || line.includes('runner-main')) return 'runner'
  return readFileSync(`/proc/${pid}/environ`, 'latin1').includes('BACALHAU_JOB_ID') &&
    readlinkSync(`/proc/${pid}/exe`).endsWith('sleep')
    ? 'program'
    : 'helper'
}

function ticksOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return [11, 12].reduce((sum, field) => sum + Number(fields[field]), 0)
}
