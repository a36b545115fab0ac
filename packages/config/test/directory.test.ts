import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { makeDirectory } from '../src/index.ts'

it('a directory that cannot be made is an error at once, also where the system says that it is not there', () => {
  const home = temporaryDirectory({ plain: '' })
  const link = join(home, 'link')
  symlinkSync('/none/volume', link)
  for (const [path, code] of [
    ['/proc/none/x', 'ENOENT'],
    [link, 'EEXIST'],
    [join(link, 'x'), 'EEXIST'],
    [join(home, 'plain'), 'EEXIST'],
    [join(home, 'plain/x'), 'ENOTDIR'],
  ] as const) {
    expect(() => makeDirectory(path), path).toThrow(expect.objectContaining({ code }))
  }
})
