#!/usr/bin/env node
import { ownParts } from './own-parts.ts'

const { run, processTerminal, EXIT } = await ownParts()
process.exit(await run(processTerminal(process, { unwritable: EXIT.failed }), process.argv))
