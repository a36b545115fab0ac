import { readdirSync, readFileSync } from 'node:fs'

/**
 * Lists the living processes whose environment or command line holds a text, such as the mark that a test gives
 * to its jobs, or the directory of its node. Each is shown as its pid and command line.
 */
export function processesWith(text: string): string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    try {
      const state = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '')[0]
      if (state === 'Z' || state === 'X') continue
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
      if (command.includes(text) || environment.includes(text)) {
        found.push(`${pid} ${command.replaceAll('\0', ' ')}`)
      }
    } catch {
      // It has ended in the meantime.
    }
  }
  return found
}
