// The program of a runner, in which WebAssembly guests run one after the other; started by the keeper. It waits on its
// pipe for a guest, runs it to its end, and says how it ended. Nothing is asynchronous here, so between guests
// nothing of an earlier one can run; its end is the end of the pipe.
import { readSync, writeSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { Descriptors } from './descriptors.ts'
import { WasmGuest } from './guest.ts'
import type { FromRunner, ToRunner } from './guest-request.ts'
import { Modules } from './modules.ts'

const STDIN = 0
const STDOUT = 1
const LINE_END = 0x0a
const PAGE_BYTES = 65_536
const MOST_PAGES = 65_536
/** From this version on, WASI keeps to the guest's memory where optimised code calls it. */
const MENDED_IN = 24
/** A runner that a guest has made larger than this ends, so that what it took is given back. */
const LARGEST_BYTES = 192 * 1024 * 1024

/** Reads the next line; undefined at the end of the pipe. */
class Lines {
  #rest: Buffer = Buffer.alloc(0)
  readonly #piece = Buffer.allocUnsafe(64 * 1024)

  next(): string | undefined {
    const pieces = [this.#rest]
    for (;;) {
      const last = pieces.at(-1) ?? this.#rest
      const end = last.indexOf(LINE_END)
      if (end >= 0) {
        this.#rest = Buffer.from(last.subarray(end + 1))
        pieces[pieces.length - 1] = last.subarray(0, end)
        return Buffer.concat(pieces).toString('utf8')
      }
      const length = readSync(STDIN, this.#piece)
      if (length === 0) return undefined
      pieces.push(Buffer.from(this.#piece.subarray(0, length)))
    }
  }
}

function say(message: FromRunner): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`)
  for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at)
}

function serve(): void {
  const lines = new Lines()
  const descriptors = new Descriptors()
  const modules = new Modules()
  say({ kind: 'here' })
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const request = JSON.parse(line) as ToRunner
    // Read at each making of a memory, so it can be another one for each guest.
    const pages = Math.min(MOST_PAGES, Math.ceil(request.memoryBytes / PAGE_BYTES))
    setFlagsFromString(`--wasm-max-mem-pages=${pages}`)
    const report = new WasmGuest(request, modules).run(() => say({ kind: 'begun' }))
    const clean = descriptors.closeOthers() && process.memoryUsage.rss() <= LARGEST_BYTES
    say({ kind: 'ended', report, clean })
    if (!clean) return
  }
}

// Before it, such a call goes on with the memory that the guest had before it grew (nodejs/node#46777): the guest
// crashes. Said here, since a flag of V8 on the command line keeps Node from using its code cache.
if (Number.parseInt(process.versions.node, 10) < MENDED_IN) setFlagsFromString('--no-turbo-fast-api-calls')
process.title = 'saltcod-runner'
serve()
