// Keeps a file, and is killed before the step whose number it is given: fs is counted call by call.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const [, , module, path, text, killAt] = process.argv
let step = 0
for (const name of [
  'mkdirSync',
  'rmSync',
  'openSync',
  'writeFileSync',
  'fsyncSync',
  'closeSync',
  'renameSync',
]) {
  const call = fs[name]
  fs[name] = (...args) => {
    if (step === Number(killAt)) process.kill(process.pid, 'SIGKILL')
    step += 1
    return call(...args)
  }
}
syncBuiltinESMExports()
const { writeKeptFile } = await import(module)
step = 0
writeKeptFile(path, text)
