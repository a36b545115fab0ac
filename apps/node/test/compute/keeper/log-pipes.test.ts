import { once } from 'node:events'
import { closeSync, readdirSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { LogPipes } from '../../../src/compute/keeper/log-pipes.ts'

test('pipes carry what is written, and leave nothing where they were made', async () => {
  const directory = temporaryDirectory()
  const pipes = new LogPipes()
  for (let taken = 0; taken < 100; taken += 1) {
    const pipe = pipes.take(directory)
    if (pipe === undefined) throw new Error('this machine has no mkfifo')
    writeSync(pipe.childEnd, `line ${taken}`)
    closeSync(pipe.childEnd)
    const [chunk] = (await once(pipe.stream, 'data')) as [Buffer]
    expect(chunk.toString()).toBe(`line ${taken}`)
    pipe.stream.destroy()
    // As at the end of a run, whose directory is removed then.
    await pipes.leave(directory)
    expect(readdirSync(directory)).toEqual([])
  }
})
