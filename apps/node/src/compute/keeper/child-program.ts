import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Finds a program of ours that runs in a process of its own, by its name beside the module that asks.
 * Programs are run as built; a module that itself runs from source finds them in `dist`.
 */
export function childProgram(moduleUrl: string, name: string): string {
  const builtUrl = moduleUrl.endsWith('.ts')
    ? moduleUrl.replace('/src/compute/', '/dist/compute/')
    : moduleUrl
  const path = fileURLToPath(new URL(`./${name}.js`, builtUrl))
  if (!existsSync(path)) throw new Error(`The program ${path} is missing; build or reinstall the package.`)
  return path
}
