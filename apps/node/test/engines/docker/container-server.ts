import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { removeDirectory } from '../../../../../test/remove-directory.ts'
import { IS_LONG } from '../../../../../test/seed.ts'
import { unownedDirectory } from '../../../../../test/temporary-directory.ts'
import { SocketApi } from '../../../src/engines/docker/socket-api.ts'
import { PROGRAM } from '../../cli/binary.ts'
import { Registry } from './registry.ts'

const BUSYBOX = '/bin/busybox'
const STARTS_WITHIN_MS = 60_000

/** What Debian needs for these tests, beside `apt-get install --no-install-recommends`. */
const PACKAGES = 'podman runc busybox-static uidmap'

/** Says why no containers can be run here; `null` where they can. */
export function containersMissing(): string | null {
  if (process.getuid?.() !== 0) return 'they are run as root'
  if (!existsSync(BUSYBOX)) return `there is no ${BUSYBOX}: apt-get install ${PACKAGES}`
  const missing = ['podman', 'runc'].find((program) => !isThere(program))
  return missing === undefined ? null : `there is no ${missing}: apt-get install ${PACKAGES}`
}

function isThere(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The ordinary user of a server that is not root's. */
export const ORDINARY: { readonly uid: number; readonly gid: number } = { uid: 54_321, gid: 54_321 }

/** Runs a program as that user, with ids of its own for containers, which is known nowhere else. */
const AS_ORDINARY = `for name in passwd group subuid subgid; do mount --bind "$0/$name" "/etc/$name" || exit 1; done
exec setpriv --reuid ${ORDINARY.uid} --regid ${ORDINARY.gid} --clear-groups "$@"`

/** Says why no containers can be run here by an ordinary user; `null` where they can. */
export function ordinaryMissing(): string | null {
  const missing = containersMissing()
  if (missing !== null) return missing
  if (!existsSync('/etc/subuid') || !isThere('newuidmap'))
    return `there is no newuidmap: apt-get install ${PACKAGES}`
  const reads = [
    'setpriv',
    '--reuid',
    String(ORDINARY.uid),
    '--clear-groups',
    process.execPath,
    PROGRAM,
    '--version',
  ]
  try {
    execFileSync('unshare', ['--mount', ...reads], { stdio: 'ignore' })
    return null
  } catch {
    return 'another user may not read this checkout'
  }
}

/** The same for tests that take much of the machine from others beside them: a short run leaves them out. */
export function containersMissingOrShort(): string | null {
  return IS_LONG ? containersMissing() : 'it takes long; SALTCOD_LONG=1 has it run'
}

/** Adds to the name of a group of tests why it does not run. */
export function named(name: string, missing: string | null): string {
  return missing === null ? name : `${name} (does not run: ${missing})`
}

/** A server of containers of a test's own, with images and containers of its own. */
export class ContainerServer {
  readonly socket: string
  readonly api: SocketApi
  /** A registry of images that it may fetch from. */
  readonly registry: Registry
  readonly #directory: string
  readonly #isOrdinary: boolean
  #process: ChildProcess | undefined

  private constructor(directory: string, registry: Registry, isOrdinary: boolean) {
    this.#directory = directory
    this.registry = registry
    this.#isOrdinary = isOrdinary
    this.socket = join(directory, 's')
    this.api = new SocketApi(this.socket)
  }

  /** Starts one in an empty directory, root's or that of an ordinary user, with the image `busybox:1`. */
  static async start(directory: string, isOrdinary = false): Promise<ContainerServer> {
    // The limits of the default cannot be set by a user who lacks CAP_SYS_RESOURCE.
    const limits = '[containers]\ndefault_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]\n'
    const engine = `[engine]\nruntime = "runc"\nevents_logger = "file"\ncgroup_manager = "cgroupfs"\n`
    writeFileSync(join(directory, 'containers.conf'), `${limits}${engine}`)
    const registry = await Registry.start(busyboxArchive(directory, {}))
    const insecure = `[[registry]]\nlocation = "${registry.address}"\ninsecure = true\n`
    writeFileSync(join(directory, 'registries.conf'), insecure)
    mkdirSync(join(directory, '.config', 'containers'), { recursive: true })
    mkdirSync(join(directory, 'tmp'))
    const policy = JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] })
    writeFileSync(join(directory, '.config', 'containers', 'policy.json'), policy)
    const server = new ContainerServer(directory, registry, isOrdinary)
    if (isOrdinary) makeOrdinary(directory)
    await server.restart()
    await server.addImage('busybox:1')
    return server
  }

  /** Starts it again, after it was killed. */
  async restart(): Promise<void> {
    const [program, ...args] = this.#command('system', 'service', '-t', '0', `unix://${this.socket}`)
    // What looks after containers may leave files where it works.
    const cwd = this.#directory
    this.#process = spawn(program, args, { cwd, env: this.#environment, stdio: 'ignore', detached: true })
    const endMs = Date.now() + STARTS_WITHIN_MS
    for (;;) {
      // To tell its version it starts programs.
      const isUp = await this.api.open({ path: '/_ping' }).then(
        (answer) => answer.resume() !== undefined,
        () => false,
      )
      if (isUp) return
      if (Date.now() > endMs) throw new Error('podman does not serve')
      await delay(50)
    }
  }

  /** Kills it, as a crash does; its containers go on. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    // Where it is an ordinary user's, one process has begun another.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await gone
  }

  /** Removes all that it runs, and ends it. */
  async stop(): Promise<void> {
    if (this.#process === undefined) await this.restart()
    this.podman('rm', '--all', '--force', '--volumes', '--time', '0')
    await this.kill()
    // What holds the ids of an ordinary user does not end with his server.
    if (this.#isOrdinary) this.podman('system', 'migrate')
    this.api.close()
    this.registry.stop()
  }

  /** Lists all containers, also those that are over. */
  async containers(): Promise<
    readonly { readonly Id: string; readonly Names: readonly string[]; readonly State: string }[]
  > {
    return await this.api.ask({ path: '/containers/json', query: { all: '1' } })
  }

  /** Waits until no container is left; the one of a job is removed once its end is on disk. */
  async becomesEmpty(deadlineMs?: number): Promise<void> {
    const isEmpty = async (): Promise<boolean> => (await this.containers()).length === 0
    await eventually('no container is left', isEmpty, deadlineMs)
  }

  /** Makes an image of busybox, with what else is to be in it. */
  async addImage(name: string, { changes = [], files = {} }: ImageOptions = {}): Promise<void> {
    const archive = busyboxArchive(this.#directory, files)
    this.podman(
      'import',
      ...changes.flatMap((change) => ['-c', change]),
      archive,
      `docker.io/library/${name}`,
    )
    await Promise.resolve()
  }

  /** Runs a command of podman on what this server has. */
  podman(...args: readonly string[]): string {
    const [program, ...all] = this.#command(...args)
    return execFileSync(program, all, {
      env: this.#environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  }

  #command(...args: readonly string[]): [string, ...string[]] {
    const root = ['--root', join(this.#directory, 'root'), '--runroot', join(this.#directory, 'run')]
    const all = ['podman', ...root, '--storage-driver', 'vfs', ...args] as const
    if (!this.#isOrdinary) return [...all]
    return ['unshare', '--mount', 'sh', '-c', AS_ORDINARY, join(this.#directory, 'etc'), ...all]
  }

  get #environment(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#directory,
      // Where a server that is killed leaves what it was fetching.
      TMPDIR: join(this.#directory, 'tmp'),
      XDG_RUNTIME_DIR: this.#directory,
      CONTAINERS_CONF: join(this.#directory, 'containers.conf'),
      CONTAINERS_REGISTRIES_CONF: join(this.#directory, 'registries.conf'),
    }
  }
}

/** Makes a directory that of the ordinary user, and the files in which the machine would know him. */
function makeOrdinary(directory: string): void {
  const { uid, gid } = ORDINARY
  const etc = join(directory, 'etc')
  mkdirSync(etc)
  const also = (name: string, line: string): void =>
    writeFileSync(join(etc, name), `${readFileSync(join('/etc', name), 'utf8')}${line}\n`)
  also('passwd', `ordinary:x:${uid}:${gid}::${directory}:/bin/sh`)
  also('group', `ordinary:x:${gid}:`)
  for (const name of ['subuid', 'subgid']) writeFileSync(join(etc, name), 'ordinary:200000:65536\n')
  for (const path of ['.', 'tmp', '.config', '.config/containers']) chownSync(join(directory, path), uid, gid)
}

/** What is to be in an image beside busybox. */
export interface ImageOptions {
  /** In the words of a Dockerfile. */
  readonly changes?: readonly string[]
  /** Files of root's, by their path without a slash at the beginning. */
  readonly files?: Readonly<Record<string, string>>
}

/** A file system in which there is busybox, with a user beside root, and some more. */
function busyboxArchive(directory: string, files: Readonly<Record<string, string>>): string {
  const archive = join(directory, 'busybox.tar')
  const root = join(directory, 'image')
  if (!existsSync(archive)) makeBusybox(root, archive)
  if (Object.keys(files).length === 0) return archive
  const more = join(directory, 'more')
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(more, name)), { recursive: true })
    writeFileSync(join(more, name), content, { mode: 0o755 })
  }
  const other = join(directory, 'more.tar')
  const owner = ['--owner=0', '--group=0']
  execFileSync('tar', ['-C', root, ...owner, '-cf', other, '.', '-C', more, ...Object.keys(files)])
  rmSync(more, { recursive: true })
  return other
}

function makeBusybox(root: string, archive: string): void {
  for (const name of ['bin', 'etc', 'tmp', 'var']) mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, 'bin', 'busybox'), readFileSync(BUSYBOX), { mode: 0o755 })
  const names = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  for (const name of names) if (name !== 'busybox') symlinkSync('busybox', join(root, 'bin', name))
  writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\nada:x:1000:1000::/tmp:/bin/sh\n')
  execFileSync('chmod', ['1777', join(root, 'tmp')])
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', archive, '.'])
}

/**
 * A server for all tests of a group, root's or that of an ordinary user, which it is to be called in; answers with how
 * they get it.
 */
export function containerServer(isOrdinary = false): () => ContainerServer {
  const directory = unownedDirectory()
  let server: ContainerServer

  beforeAll(async () => {
    server = await ContainerServer.start(directory, isOrdinary)
  })

  afterAll(async () => {
    await server.stop()
    await removeDirectory(directory)
  })

  return () => server
}
