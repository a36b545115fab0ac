import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { NetworkAccess } from '@saltcod/bacalhau-records'

/** Where ports are chosen, as in Bacalhau. */
const FIRST = 20_000
const LAST = 32_000
const TRIES = 200

/** A port of the host that a run has. */
export interface TakenPort {
  readonly hostPort: number
  /** The port of the job's own network that it leads to; the same where it has none. */
  readonly jobPort: number
  /** The address of the host; empty for all. */
  readonly hostNetwork: string
}

/** The ports of one run: what tells it of them, and how it gives them back. */
export interface TakenPorts {
  readonly environment: Readonly<Record<string, string>>
  readonly taken: readonly TakenPort[]
  /** Says to people which port each is; empty where there is none. */
  readonly text: string
  release(): void
}

/** The ports of the host that the jobs of a node have; a port is one job's at a time. */
export class Ports {
  readonly #taken = new Set<number>()

  /**
   * Takes the ports that a job asks for; a text says why it cannot have them. With `mapped` they lead into a network
   * of the job's own.
   */
  async take(
    wanted: NetworkAccess['Ports'],
    { mapped = false }: { readonly mapped?: boolean } = {},
  ): Promise<TakenPorts | string> {
    const taken: TakenPort[] = []
    const mine: number[] = []
    const release = (): void => {
      for (const port of mine.splice(0)) this.#taken.delete(port)
    }
    const environment: Record<string, string> = {}
    const texts: string[] = []
    for (const { Name, Static, Target, HostNetwork } of wanted) {
      const port = Static === 0 ? await this.#choose() : await this.#claim(Static)
      if (port === undefined) {
        release()
        return Static === 0
          ? `no port from ${FIRST} to ${LAST} is free for ${Name}`
          : `port ${Static}, which it wants for ${Name}, is in use`
      }
      mine.push(port)
      // On the network of the host both are the same.
      const jobPort = mapped && Target !== 0 ? Target : port
      taken.push({ hostPort: port, jobPort, hostNetwork: HostNetwork })
      const led = jobPort === port ? '' : `, which leads to ${jobPort} in it`
      texts.push(`port ${Name} is ${port}${led}`)
      environment[`BACALHAU_PORT_${Name}`] = String(jobPort)
      environment[`BACALHAU_HOST_PORT_${Name}`] = String(port)
    }
    return { environment, taken, text: texts.join('; '), release }
  }

  async #choose(): Promise<number | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const port = await this.#claim(randomInt(FIRST, LAST + 1))
      if (port !== undefined) return port
    }
    return undefined
  }

  async #claim(port: number): Promise<number | undefined> {
    if (this.#taken.has(port)) return undefined
    this.#taken.add(port)
    if (await isFree(port)) return port
    this.#taken.delete(port)
    return undefined
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port)
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
