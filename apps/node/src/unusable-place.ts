import { Failure } from '@saltcod/cli-kit'
import { EXIT } from './exit-code.ts'
import { systemCode } from './system-code.ts'

/** Why somebody has to look before a start can succeed; after all others a further try may. */
const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'its symbolic links form a loop',
  ENAMETOOLONG: 'the path is too long',
  EEXIST: 'something else is there, or a symbolic link that leads nowhere',
}

/** A further try may do after these too, as somebody else may have made the file by then. */
const READING: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
}

/** Says why a file or directory cannot be used, by the code of the system; `undefined` where a further try may do. */
export function reasonOfPlace(code: string): string | undefined {
  return REASONS[code]
}

/** Says for people why a file cannot be read. */
export function unreadable(error: unknown): string {
  const code = systemCode(error) ?? ''
  return READING[code] ?? reasonOfPlace(code) ?? (error instanceof Error ? error.message : String(error))
}

/**
 * Turns the error of the system about a file or directory that cannot be used into a `Failure`; any other value comes
 * back as it is.
 */
export function refusalOfPlace(error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('path' in error)) return error
  const reason = reasonOfPlace(systemCode(error) ?? '')
  if (reason === undefined) return error
  return new Failure(EXIT.usage, `cannot use ${String(error.path)}: ${reason}`, {
    hint: 'mount it for writing, see to its rights, or configure another path',
    cause: error,
  })
}
