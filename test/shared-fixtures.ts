import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Where files that real programs wrote, and those programs, lie beside a checkout; neither is part of the project.
 * Tests that need them are left out where they are not there.
 */
const SHARED: string = fileURLToPath(new URL('../../shared', import.meta.url))

/** The command that runs an official program, or null where it is not there. */
export const OFFICIAL: string | null = existsSync(join(SHARED, 'tools/official'))
  ? join(SHARED, 'tools/official')
  : null

/** A file in which another program keeps its data. */
export interface ForeignFile {
  /** The folder of the fixtures. */
  readonly folder: string
  /** The path in it. */
  readonly name: string
  readonly path: string
}

/** The BoltDB files that releases of Bacalhau wrote; none where they are not there. */
export const BOLT_FIXTURES: readonly ForeignFile[] = boltFixtures(join(SHARED, 'fixtures'))

function boltFixtures(root: string): ForeignFile[] {
  if (!existsSync(root)) return []
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.db'))
    .sort()
    .map((file) => {
      const [folder = '', ...rest] = file.split('/')
      return { folder, name: rest.join('/'), path: join(root, file) }
    })
}
