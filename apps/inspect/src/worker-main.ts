import { run } from './cli/run.ts'
import { processTerminal } from './cli/terminal.ts'

// Whoever started this process may be killed; then nobody reads what it finds.
process.once('disconnect', () => process.exit())
process.channel?.unref()

process.exitCode = await run(processTerminal(), process.argv)
