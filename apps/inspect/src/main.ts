#!/usr/bin/env node
import { exitAs, runWorker } from './launcher.ts'

const args = process.argv.slice(2)
let end = await runWorker(args)
// LMDB ends the process that opens a damaged file. The second worker says so, and does without LMDB.
if (end.crash !== undefined) end = await runWorker(args, end.crash)
exitAs(end)
