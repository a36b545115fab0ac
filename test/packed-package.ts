import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** How long packing may take on a busy machine, in milliseconds. */
export const PACKING_MS = 180_000

const root = new URL('..', import.meta.url).pathname

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

/**
 * Packs packages as they are published, named by their folders in the repository. One call for all: starting pnpm
 * takes longer than packing.
 */
export function packPackages(folders: readonly string[], tarballs: string): void {
  const packing = [...folders.flatMap((folder) => ['--filter', `./${folder}`]), 'pack']
  const { npm_execpath: pnpm = '' } = process.env
  if (/pnpm[^/]*$/.test(pnpm)) run(pnpm, [...packing, '--pack-destination', tarballs])
  else run('npx', ['-y', 'pnpm@12', ...packing, '--pack-destination', tarballs])
}

/**
 * Unpacks a package that was packed, with the dependencies that are not ours inside it: nothing else of the repository
 * can be found from there.
 */
export function unpackPackage(folder: string, tarballs: string, target: string): void {
  const { name, version } = manifestIn(join(root, folder))
  const tarball = join(tarballs, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
  mkdirSync(target, { recursive: true })
  run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target])
  const { dependencies = {} } = manifestIn(target)
  for (const dependency of Object.keys(dependencies)) {
    if (dependency.startsWith('@saltcod/')) continue
    const link = join(target, 'node_modules', dependency)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(root, folder, 'node_modules', dependency)), link)
  }
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: PACKING_MS,
    killSignal: 'SIGKILL',
  })
  if (status === 0) return
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}\n${stderr}`)
}
