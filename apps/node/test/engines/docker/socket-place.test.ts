import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { ServerFinder } from '../../../src/engines/docker/server.ts'
import { hiddenPlaces } from '../../../src/engines/docker/socket-place.ts'
import { ORDINARY } from './container-server.ts'

/** Runs as an ordinary user, which only root can. */
async function asOrdinary<T>(run: () => T | Promise<T>): Promise<T> {
  process.seteuid?.(ORDINARY.uid)
  try {
    return await run()
  } finally {
    process.seteuid?.(0)
  }
}

test.skipIf(process.getuid?.() !== 0)('where a user may not look for a socket, that is said', async () => {
  const runtimeDir = temporaryDirectory()
  const places = { configured: '', dockerHost: undefined, runtimeDir }
  const own = [join(runtimeDir, 'docker.sock'), join(runtimeDir, 'podman', 'podman.sock')]
  chmodSync(runtimeDir, 0o700)
  const { hidden, answer } = await asOrdinary(async () => ({
    hidden: hiddenPlaces(places),
    answer: await new ServerFinder(places).find(),
  }))
  expect(hidden).toEqual(expect.arrayContaining(own))
  // A machine may have one that everybody may see.
  if (typeof answer === 'string' && answer.startsWith('no socket'))
    expect(answer).toContain(`it may not look at ${hidden.join(', ')}; start one`)
  chmodSync(runtimeDir, 0o755)
  expect(hiddenPlaces(places)).not.toContain(own[0])
})
