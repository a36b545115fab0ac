import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { StoreProcess } from '../store-process.ts'

test.each(['000', '077'])('under umask %s only the owner may read anything', async (umask) => {
  const top = temporaryDirectory()
  const path = join(top, 'one/two/jobs.db')
  const owner = new StoreProcess('own', path, { umask })
  await owner.line('open')
  const modes = Object.fromEntries(
    readdirSync(top, { recursive: true, encoding: 'utf8' }).map((name) => {
      const { mode } = lstatSync(join(top, name))
      return [name, (mode & 0o777).toString(8)]
    }),
  )
  expect(modes).toEqual({
    one: '700',
    'one/two': '700',
    'one/two/jobs.db': '600',
    'one/two/jobs.db-lock': '600',
    'one/two/jobs.db.owner': '600',
  })
  expect(await owner.end()).toBe('0')
})
