import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const DOCKER_HUB = 'https://index.docker.io/v1/'
const HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/** The registry of an image, as its name says; that of Docker where it says none. */
function registryOf(image: string): string {
  const first = image.split('/')[0] ?? ''
  const isHost = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  return isHost ? first : 'docker.io'
}

/**
 * Finds what an operator has logged in with at the registry of an image: by `docker login` or `podman login` without a
 * helper that keeps it elsewhere, else by `DOCKER_USERNAME` and `DOCKER_PASSWORD`, which are for that of Docker as
 * with Bacalhau. Answers with the value of `X-Registry-Auth`; undefined where there is nothing.
 */
export async function authorizationFor(
  image: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const registry = registryOf(image)
  for (const file of loginFiles(environment)) {
    const login = await loginIn(file, registry)
    if (login !== undefined) return headerOf({ ...login, serveraddress: registry })
  }
  const { DOCKER_USERNAME: username = '', DOCKER_PASSWORD: password = '' } = environment
  if (!HUB_NAMES.has(registry) || username === '' || password === '') return undefined
  return headerOf({ username, password, serveraddress: DOCKER_HUB })
}

function loginFiles(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const { DOCKER_CONFIG, HOME, XDG_RUNTIME_DIR } = environment
  return [
    ...(DOCKER_CONFIG === undefined ? [] : [join(DOCKER_CONFIG, 'config.json')]),
    ...(HOME === undefined ? [] : [join(HOME, '.docker', 'config.json')]),
    ...(XDG_RUNTIME_DIR === undefined ? [] : [join(XDG_RUNTIME_DIR, 'containers', 'auth.json')]),
  ]
}

async function loginIn(
  file: string,
  registry: string,
): Promise<{ readonly username: string; readonly password: string } | undefined> {
  try {
    const { auths = {} } = JSON.parse(await readFile(file, 'utf8')) as {
      readonly auths?: Readonly<Record<string, { readonly auth?: string }>>
    }
    const names = HUB_NAMES.has(registry) ? [DOCKER_HUB, ...HUB_NAMES] : [registry, `https://${registry}`]
    const auth = names.map((name) => auths[name]?.auth).find((found) => found !== undefined)
    if (auth === undefined) return undefined
    const [username = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':')
    return { username, password: rest.join(':') }
  } catch {
    return undefined
  }
}

function headerOf(login: object): string {
  return Buffer.from(JSON.stringify(login)).toString('base64url')
}
