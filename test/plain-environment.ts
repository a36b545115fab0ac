/** Where no Docker and no Podman is, so that a test has the same engines on every machine. */
export const NO_DOCKER = 'unix:///nowhere/docker.sock'

/** The environment of a program that is to find nothing of the user, and no containers but those it is told of. */
export function plainEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', DOCKER_HOST: NO_DOCKER }
}
