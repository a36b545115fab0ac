import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { SCHEMA_VERSION } from '@saltcod/store-core'
import { afterAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../test/program-session.ts'

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures', import.meta.url))
const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'saltcod-schema-'))

afterAll(async () => {
  await session.close()
  rmSync(directory, { recursive: true })
})

test.each([1])(
  'a store of schema %i is read as it is, and jobs that nothing moves are named',
  async (schema) => {
    const path = join(directory, `jobs-${schema}.db`)
    writeFileSync(path, gunzipSync(readFileSync(join(FIXTURES, `schema-${schema}`, 'jobs.db.gz'))), {
      mode: 0o600,
    })
    const before = readFileSync(path)
    const said = async (...args: readonly string[]) => (await session.run(args, { cwd: directory })).stdout
    expect(await said('info', path)).toContain(`schema ${schema}`)
    expect(await said('check', path)).toContain('2 jobs that nothing will move')
    expect(await said('summary', path)).toContain('nothing will move job stranded-0')
    expect(await said('why', path, 'stranded-0')).toContain('its last evaluation failed: no node would do it')
    expect(await said('repair', path, join(directory, `repaired-${schema}.db`))).toContain('sound')
    expect(await said('info', join(directory, `repaired-${schema}.db`))).toContain(`schema ${SCHEMA_VERSION}`)
    expect(readFileSync(path).equals(before)).toBe(true)
  },
)
