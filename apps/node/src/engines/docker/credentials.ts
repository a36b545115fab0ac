import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const HELPER_NAME = /^[\w.-]+$/
const HELPER_MS = 10_000
const DOCKER_HUB = 'https://index.docker.io/v1/'
const HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

type Environment = Readonly<Record<string, string | undefined>>

/** The registry of an image, as its name says; that of Docker where it says none. */
function registryOf(image: string): string {
  const first = image.split('/')[0] ?? ''
  const isHost = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  return isHost ? first : 'docker.io'
}

/**
 * Finds what an operator has logged in with at the registry of an image: by `docker login` or `podman login`, kept in
 * their files or by a helper of Docker's, else by `DOCKER_USERNAME` and `DOCKER_PASSWORD`, which are for that of
 * Docker as with Bacalhau. Answers with the value of `X-Registry-Auth`; undefined where there is nothing.
 */
export async function authorizationFor(image: string, environment: Environment): Promise<string | undefined> {
  const registry = registryOf(image)
  for (const file of loginFiles(environment)) {
    const login = await loginIn(file, registry, environment)
    if (login !== undefined) return headerOf({ ...login, serveraddress: registry })
  }
  const { DOCKER_USERNAME: username = '', DOCKER_PASSWORD: password = '' } = environment
  if (!HUB_NAMES.has(registry) || username === '' || password === '') return undefined
  return headerOf({ username, password, serveraddress: DOCKER_HUB })
}

function loginFiles(environment: Environment): readonly string[] {
  const { DOCKER_CONFIG, HOME, XDG_RUNTIME_DIR } = environment
  return [
    ...(DOCKER_CONFIG === undefined ? [] : [join(DOCKER_CONFIG, 'config.json')]),
    ...(HOME === undefined ? [] : [join(HOME, '.docker', 'config.json')]),
    ...(XDG_RUNTIME_DIR === undefined ? [] : [join(XDG_RUNTIME_DIR, 'containers', 'auth.json')]),
  ]
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

async function loginIn(file: string, registry: string, environment: Environment): Promise<Login | undefined> {
  try {
    const { auths = {}, credsStore, credHelpers = {} } = JSON.parse(await readFile(file, 'utf8')) as LoginFile
    const names = HUB_NAMES.has(registry) ? [DOCKER_HUB, ...HUB_NAMES] : [registry, `https://${registry}`]
    const helper = names.map((name) => credHelpers[name]).find((found) => found !== undefined) ?? credsStore
    if (helper !== undefined) {
      for (const name of names) {
        const login = await loginFrom(helper, name, environment)
        if (login !== undefined) return login
      }
    }
    const found = names.map((name) => auths[name]).find((entry) => entry !== undefined)
    if (found === undefined) return undefined
    const { auth = '', identitytoken, ...plain } = found
    const [username = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':')
    const login = auth === '' ? plain : { username, password: rest.join(':') }
    return { ...login, ...(identitytoken === undefined ? {} : { identitytoken }) }
  } catch {
    return undefined
  }
}

/** Asks the program that keeps the logins of an operator; undefined where it has none. */
async function loginFrom(
  helper: string,
  registry: string,
  environment: Environment,
): Promise<Login | undefined> {
  if (!HELPER_NAME.test(helper)) return undefined
  const asking = execute(`docker-credential-${helper}`, ['get'], { timeout: HELPER_MS, env: environment })
  asking.child.stdin?.on('error', () => undefined)
  asking.child.stdin?.end(registry)
  try {
    const { Username, Secret } = JSON.parse((await asking).stdout) as {
      readonly Username: string
      readonly Secret: string
    }
    return Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret }
  } catch {
    return undefined
  }
}

function headerOf(login: object): string {
  // Podman wants the padding too, which base64url leaves out.
  const text = Buffer.from(JSON.stringify(login)).toString('base64')
  return text.replaceAll('+', '-').replaceAll('/', '_')
}
