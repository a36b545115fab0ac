import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { keptTerminal } from '../../../../test/kept-terminal.ts'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { readSpec, type TemplateOptions } from '../../src/cli/spec-file.ts'
import { readSubmit } from '../../src/wire/job-input.ts'
import { OFFICIAL, officialMissing, type Release } from '../official-programs.ts'

/** What becomes of a job file here; see the test of the corpus. */
interface Expected {
  readonly options?: TemplateOptions
  readonly env?: Readonly<Record<string, string>>
  readonly unread?: readonly string[]
  readonly refused?: readonly string[]
}

const DIRECTORY = fileURLToPath(new URL('corpus', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../../../docs/compatibility.md', import.meta.url))
/** All files, and both releases. */
const SOME = 6

const expected = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Expected>
>

interface Row {
  readonly files: readonly string[]
  readonly releases: readonly string[]
  readonly theirs: string
  readonly ours: string
}

const ROWS: readonly Row[] = readFileSync(DOCUMENT, 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [files = '', releases = '', theirs = '', ours = '', why = ''] = line
      .replace(/^\| | \|$/g, '')
      .split(' | ')
    if (!/\.(?:yaml|json)/.test(files)) return []
    expect(why, `a reason in ${line}`).not.toBe('')
    return [{ files: files.split(', '), releases: releases.split(', '), theirs, ours }]
  })

function globalFlags(release: Release, directory: string): readonly string[] {
  if (release === '1.4.0') return ['--api-host', '127.0.0.1', '--api-port', '1', '--repo', directory]
  const settings = ['API.Host=127.0.0.1', 'API.Port=1', 'DisableAnalytics=true', 'UpdateConfig.Interval=0s']
  return [...settings.flatMap((setting) => ['-c', setting]), '--data-dir', directory]
}

/** The job that the official command line would submit; `null` where it refuses the file. */
async function theirJob(release: Release, directory: string, file: string): Promise<object | null> {
  const { options: { template, templateVars = [], templateEnvs } = {}, env } = expected[file] ?? {}
  const flags = [
    ...(template === false ? ['--no-template'] : []),
    ...templateVars.flatMap((pair) => ['-V', pair]),
    ...(templateEnvs === undefined ? [] : ['-E', templateEnvs]),
  ]
  const args = [
    ...globalFlags(release, directory),
    'job',
    'run',
    '--dry-run',
    ...flags,
    join(DIRECTORY, file),
  ]
  const run = promisify(execFile)('unshare', ['-n', OFFICIAL, release, ...args], {
    env: { ...process.env, ...env },
  })
  const stdout = await run.then(
    (ran) => ran.stdout,
    () => null,
  )
  if (stdout === null) return null
  const job = parse(stdout.slice(stdout.search(/^(?!Warnings:)[A-Z]\w+:/m))) as { Count?: number }
  // What v1.4 makes of a job without a Count; a warning says of it that nothing runs.
  if (release === '1.4.0' && job.Count === 0) delete job.Count
  return job
}

/** What a node would store, whatever network is meant by none. */
function kept(job: object): object {
  const { definition, name, namespace } = readSubmit({ Job: job })
  const text = JSON.stringify({ ...definition, name, namespace })
  return JSON.parse(
    text.replace('"Type":"None","Domains":[],"Ports":[]', '"Type":"Default","Domains":[],"Ports":[]'),
  ) as object
}

test.for(IS_LONG ? (['1.9.3', '1.4.0'] as const) : (['1.9.3'] as const))(
  'the official command line %s reads job files as ours does, but for what docs/compatibility.md says',
  { timeout: 900_000 },
  async (release, { annotate }) => {
    const why = officialMissing()
    if (why !== null) {
      await annotate(`not compared: ${why}`)
      return
    }
    const directory = temporaryDirectory()
    const files = Object.keys(expected).filter((_, index) => IS_LONG || index % SOME === 0)
    const found: string[] = []
    for (const file of files) {
      const { options = {}, env = {}, unread, refused } = expected[file] ?? {}
      const theirs = await theirJob(release, directory, file)
      const ours = unread === undefined && refused === undefined ? 'taken' : 'refused'
      const told = theirs === null ? 'refused' : 'taken'
      if (theirs !== null && ours === 'taken') {
        const job = await readSpec(keptTerminal({ env }), join(DIRECTORY, file), options)
        expect([file, kept(theirs)]).toEqual([file, kept(job)])
      }
      const row = ROWS.find((one) => one.files.includes(file) && one.releases.includes(release))
      const said = row === undefined ? [ours, ours] : [row.theirs, row.ours]
      if (told !== said[0] || ours !== said[1])
        found.push(`${file}: ${told} there, ${ours} here, ${said.join(', ')} said`)
    }
    expect(found).toEqual([])
  },
)
