import { fileURLToPath } from 'node:url'

import { LineProcess, type LineProcessOptions } from '@saltcod/store-testing/crash'
import { onTestFinished } from 'vitest'

const SCRIPT = fileURLToPath(new URL('./store-process.mjs', import.meta.url))

/** Options of {@link StoreProcess}. */
interface StoreProcessOptions extends LineProcessOptions {
  readonly umask?: string
}

/** A process with a store. It is killed when the test is over. */
export class StoreProcess extends LineProcess {
  constructor(
    command: 'own' | 'write' | 'rewrite' | 'read',
    path: string,
    { umask, ...options }: StoreProcessOptions = {},
  ) {
    super([SCRIPT, command, path, ...(umask === undefined ? [] : [umask])], options)
    onTestFinished(async () => {
      await this.kill()
    })
  }
}
