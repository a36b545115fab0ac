// Asks a node for paths by turns at a steady rate, whether earlier questions were answered or not, until it is told to
// end; then it says how long the answers took. Arguments: the address of the node, the paths. In a process of its own,
// which waits for nothing else.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { NodeClient } from './node-client.mjs'

const PAUSE_MS = 20
const AHEAD = -15

const [url, ...paths] = process.argv.slice(2)
try {
  // What is measured is how long the node takes, not for how long this process waits for a processor.
  setPriority(AHEAD)
  writeFileSync('/proc/self/autogroup', String(AHEAD))
} catch {
  // Only some users may.
}
const client = new NodeClient(url)
const times = []
const open = new Set()
let count = 0

async function ask(path) {
  const beganMs = performance.now()
  await client.call('GET', path)
  times.push(performance.now() - beganMs)
}

const timer = setInterval(() => {
  const asked = ask(paths[count++ % paths.length])
  open.add(asked)
  void asked.finally(() => open.delete(asked))
}, PAUSE_MS)

process.send('begun')
await once(process, 'message')
clearInterval(timer)
await Promise.all(open)
process.send(times)
process.disconnect()
client.close()
