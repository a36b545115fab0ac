#!/usr/bin/env node
import { ownParts } from './own-parts.ts'

const { run, processTerminal, EXIT } = await ownParts()
const terminal = processTerminal(process, {
  unwritable: EXIT.failed,
  onInterrupt: () => process.kill(process.pid, 'SIGINT'),
})
process.exit(await run(terminal, process.argv))
