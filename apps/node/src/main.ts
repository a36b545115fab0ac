#!/usr/bin/env node
import { ownParts } from './own-parts.ts'

const { run, processTerminal } = await ownParts()
process.exit(await run(processTerminal(), process.argv))
