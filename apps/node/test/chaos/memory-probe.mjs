// Loaded into a node before its program: on SIGUSR2 it collects what is garbage and writes what the process holds
// then.
import { renameSync, writeFileSync } from 'node:fs'

const path = process.env['MEMORY_PROBE']

process.on('SIGUSR2', () => {
  globalThis.gc()
  // What was waiting for a finalizer can be collected one turn later.
  setImmediate(() => {
    globalThis.gc()
    const { heapUsed, heapTotal, external } = process.memoryUsage()
    writeFileSync(`${path}.new`, JSON.stringify({ heapUsed, heapTotal, external }))
    renameSync(`${path}.new`, path)
  })
})
