import { TaskError, type TaskErrorCode } from '../../compute/task-error.ts'
import type { FoundLogin } from './credentials.ts'

interface Known {
  readonly pattern: RegExp
  readonly code: TaskErrorCode
  readonly reason: string
  /** Where it may be for want of a login. */
  readonly asksForLogin?: boolean
}

/** As the resolvers and connections of servers written in Go say. */
const UNREACHABLE =
  /no such host|server misbehaving|connection refused|network is unreachable|no route to host|i\/o timeout|TLS handshake timeout|awaiting headers/i

const LOGIN =
  'the operator of the node can log in by docker login or podman login as the user of the node, or set DOCKER_USERNAME and DOCKER_PASSWORD for that of Docker'

/** What servers and registries say, the more telling words first. */
const KNOWN: readonly Known[] = [
  {
    pattern: /no space left|disk quota|not enough space/i,
    code: 'IMAGE_FAILED',
    reason: 'the disk of its server is full',
  },
  {
    pattern: UNREACHABLE,
    code: 'IMAGE_FAILED',
    reason: 'the server of containers cannot reach its registry',
  },
  {
    pattern:
      /no image found in (?:image index|manifest list)|no matching manifest|does not match the (?:specified|expected) (?:platform|architecture)/i,
    code: 'IMAGE_DENIED',
    reason: 'it is not there for the architecture of this node',
  },
  {
    pattern:
      /unauthorized|authentication required|invalid username\/password|no basic auth|incorrect username or password/i,
    code: 'IMAGE_DENIED',
    reason: 'its registry wants a login',
    asksForLogin: true,
  },
  {
    pattern: /access to the resource is denied|pull access denied|requested access|denied:/i,
    code: 'IMAGE_DENIED',
    reason: 'its registry wants a login, or there is no such image',
    asksForLogin: true,
  },
  {
    pattern: /manifest unknown|name unknown|no such image|not found|invalid reference format/i,
    code: 'IMAGE_MISSING',
    reason: 'there is no such image',
  },
]

/**
 * Makes of what a server says in many words of its own an error that names the image, says why it is not there in
 * ours, and whether another node, or another time, may be of help.
 */
export function imageError(image: string, said: string, login: FoundLogin, cause: unknown): TaskError {
  const known = KNOWN.find(({ pattern }) => pattern.test(said))
  const reason = known?.asksForLogin === true ? `${known.reason}; ${loginText(login)}` : known?.reason
  const why = reason === undefined ? said : `${reason} (${said})`
  return new TaskError(known?.code ?? 'IMAGE_FAILED', `the image ${image} could not be fetched: ${why}`, {
    cause,
  })
}

/** Says which login was not enough, or how there can be one. */
function loginText({ header, from, unread }: FoundLogin): string {
  const remedy = header === undefined ? LOGIN : `that of ${from} is not enough; ${LOGIN}`
  return unread.length === 0 ? remedy : `${remedy}; what could not be asked for one: ${unread.join(', ')}`
}
