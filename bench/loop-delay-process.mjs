import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

// Imported by a node that is measured: between one SIGUSR2 and the next it looks how long its event loop is held up.
// Looking costs a percent of a core, so nothing is done before.
const RESOLUTION_MS = 1
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
let looks = false
process.on('SIGUSR2', () => {
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
  const report = { p50: ms(delays.percentile(50)), p99: ms(delays.percentile(99)), most: ms(delays.max) }
  looks = !looks
  if (looks) delays.enable()
  else delays.disable()
  delays.reset()
  writeFileSync(process.env.LOOP_DELAY_FILE, JSON.stringify(report))
})
