// The program of the supervisor process. Started by `supervisor.ts`, one for each run; does nothing until it
// has its orders, and ends the job when the pipe to the node closes, however the node died.
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { ExitRecord } from './exit-record.ts'
import { closeInheritedFiles } from './inherited-files.ts'
import { HERE_LINE, READY_LINE, type ToSupervisor } from './protocol.ts'
import { Supervision } from './supervision.ts'

const STDOUT = 1
const STDERR = 2

closeInheritedFiles()
// The pipe alone decides: a signal meant for the node or for its whole group must not leave the job alone.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.title = `saltcod-supervisor ${process.argv[2] ?? ''}`

let supervision: Supervision | undefined
let pending = ''

function say(fd: number, line: string): void {
  try {
    writeSync(fd, `${line}\n`)
  } catch {
    // The node is gone, so nobody listens.
  }
}

function finish(record: ExitRecord | undefined): never {
  if (record !== undefined) say(STDOUT, JSON.stringify(record))
  process.exit(0)
}

function handle(message: ToSupervisor): void {
  if (message.kind === 'launch') {
    supervision = new Supervision(message.launch, finish)
    say(STDOUT, READY_LINE)
  } else if (message.kind === 'ask') {
    say(STDOUT, HERE_LINE)
  } else if (message.kind === 'go') {
    supervision?.go()
  } else {
    supervision?.cancel()
  }
}

function nodeGone(): void {
  if (supervision === undefined) finish(undefined)
  supervision.orphan()
}

process.on('uncaughtException', (error) => {
  say(STDERR, error.message)
  // Without a supervisor there must be no job; the node looks for what this does not reach.
  supervision?.kill()
  process.exit(1)
})

const control = new Socket({ fd: 0, readable: true, writable: false })
control.setEncoding('utf8')
control.on('data', (text: string) => {
  const lines = (pending + text).split('\n')
  pending = lines.pop() ?? ''
  for (const line of lines) handle(JSON.parse(line) as ToSupervisor)
})
control.on('error', nodeGone)
control.on('end', nodeGone)
