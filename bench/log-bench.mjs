import { execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Asking } from './asking.mjs'
import { PeakMemory } from './peak-memory.mjs'

const PROGRAM = fileURLToPath(new URL('../apps/node/dist/main.js', import.meta.url))
const MB = 1_000_000
const NOTICE = '[saltcod: the log limit was reached or the disk was full, the rest was dropped]'
/** For what a phase has left behind in memory to be collected. */
const CALM_MS = 3_000
const READERS = 3
/** Asks for little, so that many run at a time. */
const LITTLE = { CPU: '0.01', Memory: '50mb', Disk: '1mb' }

/** Jobs that write to their logs, on one node. */
export class LogBench {
  #node
  #directory
  #limit
  #count = 0

  constructor(node, directory, limit) {
    this.#node = node
    this.#directory = directory
    this.#limit = limit
  }

  /** One small job, so that what is made once is there. */
  async warm() {
    await this.write(1, MB)
  }

  /** Measures what goes on beside some work. */
  async phase(bytes, work, path = '/api/v1/agent/node') {
    await delay(CALM_MS)
    const memory = new PeakMemory(this.#node.pid)
    const asking = await Asking.begin(this.#node.url, ['/api/v1/agent/node', path])
    const beganMs = performance.now()
    await work()
    const seconds = (performance.now() - beganMs) / 1_000
    const answers = await asking.end()
    memory.rest()
    await delay(CALM_MS)
    return { bytes, seconds, asking: answers, ...memory.end() }
  }

  /** So many jobs write so much each, all at once. */
  async write(count, bytes) {
    this.#count += 1
    const gate = join(this.#directory, `gate-${this.#count}`)
    execFileSync('mkfifo', [gate])
    const jobs = Array.from({ length: count }, (_, index) => ({ first: (index + 1) * 1_000_000_000 }))
    for (const job of jobs) {
      const script = `: <"${gate}"; ${linesFrom(job.first, bytes)}`
      job.id = await this.#submit(script)
    }
    for (const { id } of jobs) await this.#until(id, 'Running')
    const work = async () => {
      // All wait for a first writer.
      closeSync(openSync(gate, 'w'))
      for (const { id } of jobs) await this.#until(id, 'Completed')
    }
    return { ...(await this.phase(count * bytes, work, `/api/v1/orchestrator/jobs/${jobs[0].id}`)), jobs }
  }

  /** How many of the logs are not what was written, as far as that is kept. */
  async lost(jobs, bytes) {
    let lost = 0
    const left = [...jobs]
    const look = async () => {
      for (let job = left.pop(); job !== undefined; job = left.pop()) {
        const kept = linesFrom(job.first, Math.min(bytes, this.#limit))
        const wanted = bytes <= this.#limit ? kept : `${kept}; echo '${NOTICE}'`
        if ((await sum('sh', ['-c', wanted])) !== (await this.read(job.id))) lost += 1
      }
    }
    await Promise.all(Array.from({ length: READERS }, look))
    return lost
  }

  /** The checksum and length of a log as the API gives it. */
  async read(id) {
    const { hostname, port } = this.#node.url
    const place = ['--repo', this.#directory, '--host', hostname, '--port', port]
    return await sum(process.execPath, [PROGRAM, 'job', 'logs', id, ...place])
  }

  async #submit(script) {
    const Engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
    const Tasks = [{ Name: 'main', Engine, Resources: LITTLE }]
    const job = { Name: `j-${Math.random().toString(36).slice(2)}`, Type: 'batch', Count: 1, Tasks }
    const { JobID } = await this.#node.call('PUT', '/api/v1/orchestrator/jobs', { Job: job })
    return JobID
  }

  async #until(id, wanted) {
    for (;;) {
      const { Job } = await this.#node.call('GET', `/api/v1/orchestrator/jobs/${id}`)
      const { StateType, Message } = Job.State
      if (StateType === wanted) return
      if (StateType === 'Failed' || StateType === 'Stopped' || StateType === 'Completed')
        throw new Error(`a job is ${StateType}, not ${wanted}: ${Message}`)
      await delay(100)
    }
  }
}

/** Numbered lines up to so many bytes, no two of them equal, nor those of two jobs. */
function linesFrom(first, bytes) {
  return `seq ${first} ${first + 999_999_999} | head -c ${bytes}`
}

/** The checksum and length of what a program writes. */
async function sum(command, args) {
  const child = spawn('sh', ['-c', '"$@" | cksum', 'sh', command, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  return text
}
