import { processTerminal } from '@saltcod/cli-kit'
import { run } from './cli/run.ts'
import { EXIT } from './exit-code.ts'

// Whoever started this process may be killed; then nobody reads what it finds.
process.once('disconnect', () => process.exit())
process.channel?.unref()

const terminal = processTerminal(process, {
  unwritable: EXIT.usage,
  // Whoever reads us may stop doing so, as `head` does.
  onUnread: () => process.exit(EXIT.ok),
})
process.exitCode = await run(terminal, process.argv)
