import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const BUSYBOX = '/bin/busybox'
/** The limits of the default cannot be set by a user who lacks CAP_SYS_RESOURCE. */
const CONFIG = `[containers]
default_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]
[engine]
runtime = "runc"
`

/** The image in which there is busybox alone. */
export const IMAGE = 'busybox:1'

/** A Podman that serves the API of Docker for a measurement, with images and containers of its own. */
export class BenchServer {
  socket
  #directory
  #child

  constructor(directory) {
    this.#directory = directory
    this.socket = join(directory, 's')
  }

  /** Starts one in a directory, and resolves when it serves. */
  static async start(directory) {
    if (!existsSync(BUSYBOX))
      throw new Error(`there is no ${BUSYBOX}: apt-get install podman runc busybox-static`)
    const server = new BenchServer(directory)
    mkdirSync(join(directory, 'image', 'bin'), { recursive: true })
    writeFileSync(join(directory, 'containers.conf'), CONFIG)
    execFileSync('cp', [BUSYBOX, join(directory, 'image', 'bin', 'busybox')])
    for (const name of ['true', 'sleep', 'sh'])
      execFileSync('ln', ['-sf', 'busybox', join(directory, 'image', 'bin', name)])
    const archive = join(directory, 'image.tar')
    execFileSync('tar', ['-C', join(directory, 'image'), '-cf', archive, '.'])
    server.run(['import', archive, `docker.io/library/${IMAGE}`])
    server.#child = spawn(
      'podman',
      server.#args(['system', 'service', '-t', '0', `unix://${server.socket}`]),
      {
        cwd: directory,
        env: server.environment,
        stdio: 'ignore',
      },
    )
    while (!existsSync(server.socket)) await delay(50)
    return server
  }

  get pid() {
    return this.#child.pid
  }

  get environment() {
    const { PATH = '' } = process.env
    return { PATH, HOME: this.#directory, CONTAINERS_CONF: join(this.#directory, 'containers.conf') }
  }

  /** Runs a command of podman on what it has, and returns what that prints. */
  run(args) {
    return execFileSync('podman', this.#args(args), {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  }

  /** Runs a command of podman beside others; resolves when it has ended. */
  async runBeside(args) {
    const child = spawn('podman', this.#args(args), { env: this.environment, stdio: 'ignore' })
    const code = await new Promise((resolve) => child.once('exit', resolve))
    if (code !== 0) throw new Error(`podman ${args.join(' ')} ended with ${code}`)
  }

  /** Removes all that it runs, and ends it. */
  async end() {
    this.run(['rm', '--all', '--force', '--time', '0'])
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }

  #args(args) {
    const at = (name) => join(this.#directory, name)
    return ['--root', at('root'), '--runroot', at('run'), '--storage-driver', 'vfs', ...args]
  }
}
