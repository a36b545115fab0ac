import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { plainEnvironment } from './plain-environment.ts'
import { sharedDirectory } from './temporary-directory.ts'

const root = new URL('..', import.meta.url).pathname
const libraries = readdirSync(join(root, 'packages'))
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const PACKING_MS = 180_000
const EXAMPLE_MS = 60_000
/** The strictness of a careful user; what else our own configuration adds to it is a matter of taste. */
const COMPILER_OPTIONS = {
  strict: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  module: 'nodenext',
  target: 'es2022',
  types: ['node'],
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
}

interface Example {
  readonly readme: string
  readonly line: number
  readonly code: string
}

/** Every fenced block of JavaScript in a README is a whole program. */
function examplesOf(readme: string): Example[] {
  return blocksOf(readme, 'js')
}

/** Every fenced block of a language. One of TypeScript is about types alone: it is compiled, and not run. */
function blocksOf(readme: string, language: 'js' | 'ts'): Example[] {
  const text = readFileSync(join(root, readme), 'utf8')
  const blocks = new RegExp(`^\`\`\`${language}\\n(?<code>.*?)^\`\`\`$`, 'gms')
  return [...text.matchAll(blocks)].map((match) => ({
    readme,
    line: text.slice(0, match.index).split('\n').length + 1,
    code: match.groups?.['code'] ?? '',
  }))
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: PACKING_MS,
    killSignal: 'SIGKILL',
  })
  if (status === 0) return stdout
  throw new Error(
    `${command} ${args.join(' ')} in ${cwd}: ${error?.message ?? `exit code ${status}`}\n${stderr}`,
  )
}

/** Packs the libraries as they are published. One call for all: starting pnpm takes longer than packing. */
function pack(tarballs: string): void {
  const packing = [...libraries.flatMap((library) => ['--filter', `./packages/${library}`]), 'pack']
  const { npm_execpath: pnpm = '' } = process.env
  if (/pnpm[^/]*$/.test(pnpm)) run(pnpm, [...packing, '--pack-destination', tarballs], root)
  else run('npx', ['-y', 'pnpm@12', ...packing, '--pack-destination', tarballs], root)
}

/** Unpacks a library into a project, with the dependencies that are not ours beside it. */
function install(library: string, tarballs: string, project: string): void {
  const tarball = readdirSync(tarballs).find((name) => name.startsWith(`saltcod-${library}-`))
  if (tarball === undefined) throw new Error(`nothing was packed for ${library}`)
  const target = join(project, 'node_modules', '@saltcod', library)
  mkdirSync(target, { recursive: true })
  run('tar', ['-xzf', join(tarballs, tarball), '--strip-components=1', '-C', target], project)
  const { dependencies = {} } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as Manifest
  for (const name of Object.keys(dependencies).filter((dependency) => !dependency.startsWith('@saltcod/'))) {
    const link = join(target, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(root, 'packages', library, 'node_modules', name)), link)
  }
}

describe('the examples of the READMEs, run with the packed libraries', () => {
  const project = sharedDirectory()

  beforeAll(() => {
    const tarballs = join(project, 'tarballs')
    mkdirSync(tarballs)
    pack(tarballs)
    for (const library of libraries) install(library, tarballs, project)
  }, PACKING_MS)

  const readmes = ['README.md', ...libraries.map((library) => `packages/${library}/README.md`)]

  test.each(readmes)('%s has an example', (readme) => {
    expect(examplesOf(readme)).not.toEqual([])
  })

  test('all of them are valid TypeScript too', () => {
    const typed = mkdtempSync(join(project, 'typed-'))
    const examples = readmes.flatMap((readme) => [...examplesOf(readme), ...blocksOf(readme, 'ts')])
    const names = examples.map(({ readme, line, code }) => {
      const name = `${readme.replaceAll('/', '-')}-${line}.ts`
      writeFileSync(join(typed, name), code)
      return name
    })
    writeFileSync(join(typed, 'package.json'), '{ "type": "module" }')
    writeFileSync(
      join(typed, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: names }),
    )
    mkdirSync(join(project, 'node_modules/@types'), { recursive: true })
    symlinkSync(
      realpathSync(join(root, 'node_modules/@types/node')),
      join(project, 'node_modules/@types/node'),
    )
    const { status, stdout } = spawnSync(process.execPath, [compiler, '--project', '.'], {
      cwd: typed,
      encoding: 'utf8',
      timeout: PACKING_MS,
      killSignal: 'SIGKILL',
    })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  })

  test.each(readmes.flatMap(examplesOf))('$readme, line $line', ({ code }) => {
    const directory = mkdtempSync(join(project, 'example-'))
    writeFileSync(join(directory, 'example.mjs'), code)
    const { status, signal, stderr } = spawnSync(process.execPath, ['example.mjs'], {
      cwd: directory,
      encoding: 'utf8',
      // A home of its own: an example must not meet what lies in the developer's.
      env: { ...plainEnvironment(), HOME: directory },
      timeout: EXAMPLE_MS,
      killSignal: 'SIGKILL',
    })
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  })
})
