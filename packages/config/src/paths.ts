import { join, resolve } from 'node:path'
import type { Located, PathBase } from './setting.ts'

/** Makes a path absolute: `~` is the home directory, a relative path starts at the directory of its source. */
export function expandPath(path: string, base: PathBase): Located<string> {
  if (!path.startsWith('~')) return { value: resolve(base.directory, path) }
  if (path !== '~' && !path.startsWith('~/')) {
    return { problem: `'${path}' names the home of another user`, hint: 'write the whole path' }
  }
  if (base.home === undefined) {
    return { problem: `'${path}' cannot be resolved, because HOME is not set`, hint: 'write the whole path' }
  }
  if (!base.home.startsWith('/')) {
    return {
      problem: `'${path}' cannot be resolved, because HOME is not an absolute path`,
      hint: 'write the whole path',
    }
  }
  return { value: join(base.home, path.slice(1)) }
}

/** Makes each path of a list absolute, as {@link expandPath} does. */
export function expandPaths(paths: string[], base: PathBase): Located<string[]> {
  const absolute: string[] = []
  for (const path of paths) {
    const located = expandPath(path, base)
    if (!('value' in located)) return located
    absolute.push(located.value)
  }
  return { value: absolute }
}

/** As {@link expandPath}, for a setting that may be absent. */
export function expandOptionalPath(path: string | undefined, base: PathBase): Located<string | undefined> {
  return path === undefined ? { value: undefined } : expandPath(path, base)
}
