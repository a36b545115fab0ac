import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll } from 'vitest'
import { removeDirectory } from '../../../../../test/remove-directory.ts'
import { unownedDirectory } from '../../../../../test/temporary-directory.ts'
import { SocketApi } from '../../../src/engines/docker/socket-api.ts'
import { Registry } from './registry.ts'

const BUSYBOX = '/bin/busybox'
const STARTS_WITHIN_MS = 20_000

/** What Debian needs for these tests, beside `apt-get install --no-install-recommends`. */
const PACKAGES = 'podman runc busybox-static'

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
  #process: ChildProcess | undefined

  private constructor(directory: string, registry: Registry) {
    this.#directory = directory
    this.registry = registry
    this.socket = join(directory, 's')
    this.api = new SocketApi(this.socket)
  }

  /** Starts one in an empty directory, with the image `busybox:1`. */
  static async start(directory: string): Promise<ContainerServer> {
    // The limits of the default cannot be set by a user who lacks CAP_SYS_RESOURCE.
    const limits = '[containers]\ndefault_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]\n'
    writeFileSync(join(directory, 'containers.conf'), `${limits}[engine]\nruntime = "runc"\n`)
    const registry = await Registry.start(busyboxArchive(directory))
    const insecure = `[[registry]]\nlocation = "${registry.address}"\ninsecure = true\n`
    writeFileSync(join(directory, 'registries.conf'), insecure)
    mkdirSync(join(directory, '.config', 'containers'), { recursive: true })
    const policy = JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] })
    writeFileSync(join(directory, '.config', 'containers', 'policy.json'), policy)
    const server = new ContainerServer(directory, registry)
    await server.restart()
    await server.addImage('busybox:1')
    return server
  }

  /** Starts it again, after it was killed. */
  async restart(): Promise<void> {
    this.#process = spawn(
      'podman',
      [...this.#flags, 'system', 'service', '-t', '0', `unix://${this.socket}`],
      {
        env: this.#environment,
        stdio: 'ignore',
      },
    )
    const endMs = Date.now() + STARTS_WITHIN_MS
    for (;;) {
      const isUp = await this.api.ask({ path: '/version' }).then(
        () => true,
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
    child.kill('SIGKILL')
    await gone
  }

  /** Removes all that it runs, and ends it. */
  async stop(): Promise<void> {
    if (this.#process === undefined) await this.restart()
    for (const { Id } of await this.containers()) {
      await this.api.ask({ method: 'DELETE', path: `/containers/${Id}`, query: { force: '1', v: '1' } })
    }
    await this.kill()
    this.api.close()
    this.registry.stop()
  }

  /** Lists all containers, also those that are over. */
  async containers(): Promise<
    readonly { readonly Id: string; readonly Names: readonly string[]; readonly State: string }[]
  > {
    return await this.api.ask({ path: '/containers/json', query: { all: '1' } })
  }

  /** Makes an image of busybox, with what else is to be in it. */
  async addImage(
    name: string,
    { changes = [] }: { readonly changes?: readonly string[] } = {},
  ): Promise<void> {
    const archive = busyboxArchive(this.#directory)
    execFileSync(
      'podman',
      [
        ...this.#flags,
        'import',
        ...changes.flatMap((change) => ['-c', change]),
        archive,
        `docker.io/library/${name}`,
      ],
      { env: this.#environment, stdio: 'ignore' },
    )
    await Promise.resolve()
  }

  /** Runs a command of podman on what this server has. */
  podman(...args: readonly string[]): string {
    return execFileSync('podman', [...this.#flags, ...args], { env: this.#environment, encoding: 'utf8' })
  }

  get #flags(): readonly string[] {
    const root = ['--root', join(this.#directory, 'root'), '--runroot', join(this.#directory, 'run')]
    return [...root, '--storage-driver', 'vfs']
  }

  get #environment(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#directory,
      CONTAINERS_CONF: join(this.#directory, 'containers.conf'),
      CONTAINERS_REGISTRIES_CONF: join(this.#directory, 'registries.conf'),
    }
  }
}

/** A file system in which there is busybox alone, with a user beside root. */
function busyboxArchive(directory: string): string {
  const archive = join(directory, 'busybox.tar')
  if (existsSync(archive)) return archive
  const root = join(directory, 'image')
  for (const name of ['bin', 'etc', 'tmp', 'var']) mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, 'bin', 'busybox'), readFileSync(BUSYBOX), { mode: 0o755 })
  const names = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  for (const name of names) if (name !== 'busybox') symlinkSync('busybox', join(root, 'bin', name))
  writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\nada:x:1000:1000::/tmp:/bin/sh\n')
  execFileSync('chmod', ['1777', join(root, 'tmp')])
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', archive, '.'])
  return archive
}

/** A server for all tests of a group, which it is to be called in; answers with how they get it. */
export function containerServer(): () => ContainerServer {
  const directory = unownedDirectory()
  let server: ContainerServer

  beforeAll(async () => {
    server = await ContainerServer.start(directory)
  })

  afterAll(async () => {
    await server.stop()
    await removeDirectory(directory)
  })

  return () => server
}
