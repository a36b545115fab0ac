import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemCode } from '../../system-code.ts'
import { oneLine, shortText } from './socket-api.ts'

const execute = promisify(execFile)
const HELPER_NAME = /^[\w.-]+$/
const HELPER_MS = 10_000
const DOCKER_HUB = 'https://index.docker.io/v1/'
const HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

type Environment = Readonly<Record<string, string | undefined>>

/** A login for a registry, as it was found. */
export interface FoundLogin {
  /** The value of `X-Registry-Auth`; undefined where there is none. */
  readonly header: string | undefined
  /** The file, the helper or the variables that it is from. */
  readonly from: string
  /** What could not be asked for one. */
  readonly unread: readonly string[]
}

/** The registry of an image, as its name says; that of Docker where it says none. */
function registryOf(image: string): string {
  const first = image.split('/')[0] ?? ''
  const isHost = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  return isHost ? first : 'docker.io'
}

/**
 * Finds what an operator has logged in with at the registry of an image: by `docker login` or `podman login`, kept in
 * their files or by a helper of Docker's, else by `DOCKER_USERNAME` and `DOCKER_PASSWORD`, which are for that of
 * Docker as with Bacalhau.
 */
export async function loginFor(image: string, environment: Environment): Promise<FoundLogin> {
  const serveraddress = registryOf(image)
  const unread: string[] = []
  for (const file of loginFiles(environment)) {
    try {
      const login = await loginIn(file, image, environment)
      if (login !== undefined) return { header: headerOf({ ...login, serveraddress }), from: file, unread }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') unread.push(`${file}: ${shortText(oneLine(error))}`)
    }
  }
  const { DOCKER_USERNAME: username = '', DOCKER_PASSWORD: password = '' } = environment
  if (!HUB_NAMES.has(serveraddress) || username === '' || password === '') {
    return { header: undefined, from: '', unread }
  }
  const header = headerOf({ username, password, serveraddress: DOCKER_HUB })
  return { header, from: 'DOCKER_USERNAME and DOCKER_PASSWORD', unread }
}

/** Lists the files in which Docker and Podman keep logins, for a user whose id is `uid`. */
export function loginFiles(environment: Environment, uid = process.getuid?.() ?? 0): readonly string[] {
  const { DOCKER_CONFIG, HOME, REGISTRY_AUTH_FILE, XDG_CONFIG_HOME, XDG_RUNTIME_DIR } = environment
  const ofHome = (...parts: string[]): string | undefined => (HOME ? join(HOME, ...parts) : undefined)
  const config = XDG_CONFIG_HOME || ofHome('.config')
  const files = [
    DOCKER_CONFIG && join(DOCKER_CONFIG, 'config.json'),
    ofHome('.docker', 'config.json'),
    REGISTRY_AUTH_FILE,
    // A session of the user has the variable, a service of systemd has not, and both mean the same logins.
    ...[XDG_RUNTIME_DIR || `/run/user/${uid}`].map((directory) => join(directory, 'containers', 'auth.json')),
    `/run/containers/${uid}/auth.json`,
    config && join(config, 'containers', 'auth.json'),
  ]
  return files.filter((file): file is string => file !== undefined && file !== '')
}

interface Login {
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
}

interface LoginFile {
  readonly auths?: Readonly<Record<string, Login & { readonly auth?: string }>>
  readonly credsStore?: string
  readonly credHelpers?: Readonly<Record<string, string>>
}

/** Throws where the file cannot be read, or a helper that it names is not there. */
async function loginIn(file: string, image: string, environment: Environment): Promise<Login | undefined> {
  const { auths = {}, credsStore, credHelpers = {} } = parsed(await readFile(file, 'utf8'))
  const registry = registryOf(image)
  const names = HUB_NAMES.has(registry) ? [DOCKER_HUB, ...HUB_NAMES] : [registry, `https://${registry}`]
  const helper = names.map((name) => credHelpers[name]).find((found) => found !== undefined) ?? credsStore
  if (helper !== undefined) {
    for (const name of names) {
      const login = await loginFrom(helper, name, environment)
      if (login !== undefined) return login
    }
  }
  const found = [...partsOf(image), ...names].map((name) => auths[name]).find((entry) => entry !== undefined)
  if (found === undefined) return undefined
  const { auth = '', identitytoken, ...plain } = found
  const [username = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':')
  const login = auth === '' ? plain : { username, password: rest.join(':') }
  return { ...login, ...(identitytoken === undefined ? {} : { identitytoken }) }
}

function parsed(text: string): LoginFile {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    // What the parser says quotes the text, in which there are passwords.
    throw new Error('it is no JSON')
  }
  if (typeof file !== 'object' || file === null) throw new Error('it is no JSON object')
  return file
}

/** Lists the parts of a registry that Podman keeps logins for, that of the image alone first. */
function partsOf(image: string): readonly string[] {
  const registry = registryOf(image)
  const named = image.replace(/@.*$/, '').replace(/:[^/]*$/, '')
  const parts = (named.startsWith(`${registry}/`) ? named.slice(registry.length + 1) : named).split('/')
  return parts.map((_, at) => [registry, ...parts.slice(0, parts.length - at)].join('/'))
}

/** Asks the program that keeps the logins of an operator; undefined where it has none. */
async function loginFrom(
  helper: string,
  registry: string,
  environment: Environment,
): Promise<Login | undefined> {
  if (!HELPER_NAME.test(helper)) return undefined
  const program = `docker-credential-${helper}`
  const asking = execute(program, ['get'], { timeout: HELPER_MS, env: environment })
  asking.child.stdin?.on('error', () => undefined)
  asking.child.stdin?.end(registry)
  try {
    const { Username, Secret } = JSON.parse((await asking).stdout) as {
      readonly Username: string
      readonly Secret: string
    }
    return Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new Error(`there is no ${program} in the PATH of the node`)
    return undefined
  }
}

function headerOf(login: object): string {
  // Podman wants the padding too, which base64url leaves out.
  const text = Buffer.from(JSON.stringify(login)).toString('base64')
  return text.replaceAll('+', '-').replaceAll('/', '_')
}
