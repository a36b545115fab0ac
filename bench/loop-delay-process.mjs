import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

// Imported by a node that is measured: at each SIGUSR2 it writes down how long its event loop was held up since the
// last.
const RESOLUTION_MS = 1
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delays.enable()
process.on('SIGUSR2', () => {
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
  const report = { p50: ms(delays.percentile(50)), p99: ms(delays.percentile(99)), most: ms(delays.max) }
  delays.reset()
  writeFileSync(process.env.LOOP_DELAY_FILE, JSON.stringify(report))
})
