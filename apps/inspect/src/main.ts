#!/usr/bin/env node
import { createCli } from './cli.ts'

const USAGE_EXIT_CODE = 2

const cli = createCli()
cli.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_EXIT_CODE))
await cli.parseAsync()
