// The program in which WebAssembly guests run; started by the supervisor, one process for each run. Its only
// argument is the file with the request. What it has to say at the end goes to file descriptor 3.
import { readFileSync, rmSync, writeSync } from 'node:fs'
import type { ProgramReport } from '../supervisor/protocol.ts'
import { WasmGuest } from './wasm-guest.ts'
import type { WasmRequest } from './wasm-request.ts'

const REPORT_FD = 3

function end(report: ProgramReport): never {
  writeSync(REPORT_FD, `${JSON.stringify(report)}\n`)
  process.exit(0)
}

const [, , requestPath = ''] = process.argv
const request = JSON.parse(readFileSync(requestPath, 'utf8')) as WasmRequest
rmSync(requestPath)
end(await new WasmGuest(request, (exitCode) => end({ exitCode, errorMessage: null, reason: 'exited' })).run())
