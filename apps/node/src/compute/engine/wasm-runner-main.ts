// The program in which WebAssembly guests run; started by the keeper, one process for each run. Its only
// argument is the file with the request. What it has to say at the end goes to file descriptor 3.
import { readFileSync, rmSync, writeSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import type { ProgramReport } from '../keeper/protocol.ts'
import { WasmGuest } from './wasm-guest.ts'
import type { WasmRequest } from './wasm-request.ts'

const REPORT_FD = 3
/** From this version on, WASI keeps to the guest's memory where optimised code calls it. */
const MENDED_IN = 24

function end(report: ProgramReport): never {
  writeSync(REPORT_FD, `${JSON.stringify(report)}\n`)
  process.exit(0)
}

// Before it, such a call goes on with the memory that the guest had before it grew (nodejs/node#46777): the guest
// crashes. Said here, since a flag of V8 on the command line keeps Node from using its code cache.
if (Number.parseInt(process.versions.node, 10) < MENDED_IN) setFlagsFromString('--no-turbo-fast-api-calls')

const [, , requestPath = ''] = process.argv
const request = JSON.parse(readFileSync(requestPath, 'utf8')) as WasmRequest
rmSync(requestPath)
end(await new WasmGuest(request, (exitCode) => end({ exitCode, errorMessage: null, reason: 'exited' })).run())
