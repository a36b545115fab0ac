// The program of the keeper, which looks after all that a node runs. Started by `keeper.ts`; does
// nothing until it has orders, and ends every job when the pipe to the node closes, however the node died.
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { Lookout } from './census.ts'
import type { ExitRecord } from './exit-record.ts'
import { GuestRun } from './guest-run.ts'
import { closeInheritedFiles } from './inherited-files.ts'
import { IsolatorSearch } from './isolators.ts'
import type { KeptWork } from './kept-work.ts'
import { LogPipes } from './log-pipes.ts'
import { KEEPER_VARIABLE, RUNNER_VARIABLE, runnerMarkerOf } from './marker.ts'
import { putSessionAhead, takePrecedence } from './precedence.ts'
import { readProcess } from './process-table.ts'
import { ProgramRun } from './program-run.ts'
import { type FromKeeper, type Launch, Messages, type ToKeeper } from './protocol.ts'
import { Runners } from './runners.ts'

const STDOUT = 1
const STDERR = 2

closeInheritedFiles()
// The pipe alone decides: a signal meant for the node or for its whole group must not leave the jobs alone.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
// So that a job of thousands of processes cannot keep it from ending them.
takePrecedence()
putSessionAhead()
process.title = 'saltcod-keeper'

const own = {
  pid: process.pid,
  startTime: readProcess(process.pid)?.startTime ?? '',
  place: process.env[KEEPER_VARIABLE] ?? '',
}
const mark = { [RUNNER_VARIABLE]: runnerMarkerOf(own, own.place) }
const isolators = new IsolatorSearch(own, mark)
const lookout = new Lookout()
const pipes = new LogPipes()
const runners = new Runners(mark, (started, retired) => say({ kind: 'runners', started, retired }))
const runs = new Map<number, KeptWork>()
const toBegin: number[] = []
const preparing = new Set<number>()
/** Those that were cancelled while it was found out how they can be run. */
const cancelledEarly = new Set<number>()
let nodeIsGone = false

function sayLine(fd: number, text: string): void {
  const bytes = Buffer.from(`${text}\n`)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
  } catch {
    // The node is gone, so nobody listens.
  }
}

function say(message: FromKeeper): void {
  sayLine(STDOUT, JSON.stringify(message))
}

function end(): never {
  runners.kill()
  isolators.close()
  process.exit(0)
}

function done(run: number, record: ExitRecord | undefined): void {
  runs.delete(run)
  say({ kind: 'done', run, record: record ?? null })
  if (nodeIsGone && runs.size === 0) end()
}

async function prepare(run: number, launch: Launch): Promise<void> {
  preparing.add(run)
  try {
    const onDone = (record: ExitRecord | undefined): void => done(run, record)
    const work =
      launch.kind === 'guest'
        ? new GuestRun(launch, runners, onDone)
        : new ProgramRun(launch, { lookout, pipes, ...(await isolators.find(launch.isolation)) }, onDone)
    runs.set(run, work)
    // Nobody would end it who was told of the others.
    if (nodeIsGone) work.orphan()
    else if (cancelledEarly.has(run)) work.cancel()
    else begin(run)
  } catch (error) {
    say({ kind: 'refused', run, message: error instanceof Error ? error.message : String(error) })
  }
  preparing.delete(run)
  cancelledEarly.delete(run)
}

/** One begins in a turn: the start of a process holds this one up, and in between the others are looked after. */
function begin(run: number): void {
  if (toBegin.push(run) === 1) setImmediate(beginNext)
}

function beginNext(): void {
  runs.get(toBegin[0] ?? 0)?.go()
  toBegin.shift()
  if (toBegin.length > 0) setImmediate(beginNext)
}

function cancel(run: number): void {
  const work = runs.get(run)
  if (work !== undefined) work.cancel()
  else if (preparing.has(run)) cancelledEarly.add(run)
}

function handle(message: ToKeeper): void {
  switch (message.kind) {
    case 'launch':
      void prepare(message.run, message.launch)
      break
    case 'cancel':
      cancel(message.run)
      break
    case 'probe':
      void isolators.shelter(message.isolation).then((shelter) => say({ kind: 'shelter', shelter }))
      break
    case 'ask':
      say({ kind: 'here' })
      break
  }
}

function nodeGone(): void {
  if (nodeIsGone) return
  nodeIsGone = true
  if (runs.size === 0) end()
  for (const run of runs.values()) run.orphan()
}

process.on('uncaughtException', (error) => {
  sayLine(STDERR, error.message)
  // Without a keeper there must be no job; the node looks for what this does not reach.
  for (const run of runs.values()) run.kill()
  runners.kill()
  process.exit(1)
})

const messages = new Messages<ToKeeper>()
const control = new Socket({ fd: 0, readable: true, writable: false })
control.setEncoding('utf8')
control.on('data', (text: string) => {
  for (const message of messages.take(text)) handle(message)
})
control.on('error', nodeGone)
control.on('end', nodeGone)
