import { posix } from 'node:path'

const LONGEST = 1_024

/**
 * Checks the path by which a job knows an input or a result, from the root of its file system also where it does not
 * begin with a slash; answers with a problem, or undefined.
 */
export function mountPathProblem(path: unknown): string | undefined {
  if (typeof path !== 'string' || path === '') return 'is missing; give a path such as /inputs'
  if (path.includes('\0')) return 'must not hold a NUL character'
  if (path.length > LONGEST) return `is longer than ${LONGEST} characters`
  if (path.split('/').includes('..')) return `must not hold "..", as ${JSON.stringify(path)} does`
  if (mountPath(path) === '/') return 'must not be the root directory'
  return undefined
}

/** The shortest absolute form of a path that {@link mountPathProblem} found no problem with. */
export function mountPath(path: string): string {
  return posix.normalize(`/${path}`).replace(/\/+$/, '') || '/'
}
