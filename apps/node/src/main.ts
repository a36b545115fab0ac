#!/usr/bin/env node
import { run } from './cli/run.ts'
import { processTerminal } from './cli/terminal.ts'

process.exit(await run(processTerminal(), process.argv))
