import { type FileHandle, realpath } from 'node:fs/promises'
import { copyDirectory, copyFile, openProblem } from '../../compute/files/copy-tree.ts'
import { makeJobDirectory } from '../../compute/files/directories.ts'
import { isInside, openPlain, pathOfHandle, realPathOf } from '../../compute/files/open-inside.ts'
import type { InputFetch } from '../input-fetcher.ts'
import type { InputPolicy } from '../input-policy.ts'
import type { LocalParameters } from './parameters.ts'

async function realRoots(paths: readonly string[]): Promise<string[]> {
  const roots = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)))
  return roots.filter((root) => root !== undefined)
}

/**
 * Opens a file whose links are resolved, and proves by the open file itself that it lies in an allowed place:
 * a path that is checked first and opened later could be swapped in between.
 */
async function openAllowed(fetch: InputFetch, path: string, roots: readonly string[]): Promise<FileHandle> {
  const named = JSON.stringify(path)
  let handle: FileHandle
  try {
    handle = await openPlain(await realpath(path))
  } catch (error) {
    // Whether a forbidden file exists is nobody's business.
    if (!roots.some((root) => isInside(root, path))) throw denied(fetch, named)
    throw fetch.fail('INPUT_MISSING', `${named} ${openProblem(error)}`, error)
  }
  const real = await realPathOf(handle)
  if (roots.some((root) => isInside(root, real))) return handle
  await handle.close()
  throw denied(fetch, named)
}

function denied(fetch: InputFetch, named: string): Error {
  return fetch.fail('INPUT_DENIED', denialOf(named, fetch.policy))
}

function denialOf(named: string, { allowedPaths }: InputPolicy): string {
  const allowed = allowedPaths.length === 0 ? 'none is configured' : allowedPaths.join(', ')
  return `${named} does not lie under Inputs.AllowedPaths of the node (${allowed})`
}

/**
 * Says why a node does not allow a local input; `null` where it may. What is there is only proven when it is copied.
 */
export async function localDenial(
  { SourcePath }: LocalParameters,
  policy: InputPolicy,
): Promise<string | null> {
  const roots = await realRoots(policy.allowedPaths)
  const real = await realpath(SourcePath).catch(() => SourcePath)
  return roots.some((root) => isInside(root, real)) ? null : denialOf(JSON.stringify(SourcePath), policy)
}

/** Copies a local file or directory: regular files only, links only where they lead to an allowed file. */
export async function fetchLocal(fetch: InputFetch<LocalParameters>): Promise<'file' | 'directory'> {
  const source = fetch.params.SourcePath
  const roots = await realRoots(fetch.policy.allowedPaths)
  const handle = await openAllowed(fetch, source, roots)
  try {
    const status = await handle.stat()
    if (status.isFile()) {
      await copyFile(handle, fetch.hostPath, fetch.copy)
      return 'file'
    }
    if (!status.isDirectory()) {
      throw fetch.fail('INPUT_INVALID', `${JSON.stringify(source)} is neither a file nor a directory`)
    }
    await makeJobDirectory(fetch.hostPath)
    await copyDirectory(handle, fetch.hostPath, {
      ...fetch.copy,
      odd: async (parent, name, path, reason) => {
        if (reason !== 'is a symbolic link')
          throw fetch.fail('INPUT_DENIED', `${JSON.stringify(path)} ${reason}`)
        const linked = await openAllowed(fetch, `${pathOfHandle(parent)}/${name}`, roots).catch(
          () => undefined,
        )
        if (linked === undefined) {
          throw fetch.fail(
            'INPUT_DENIED',
            `${JSON.stringify(path)} is a link to where the node does not allow`,
          )
        }
        if ((await linked.stat()).isFile()) return linked
        await linked.close()
        throw fetch.fail(
          'INPUT_DENIED',
          `${JSON.stringify(path)} is a link to a directory, which is not copied`,
        )
      },
    })
    return 'directory'
  } finally {
    await handle.close()
  }
}
