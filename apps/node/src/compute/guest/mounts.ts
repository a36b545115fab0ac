// The WASI of Node has no read-only directories, and it follows symbolic links out of the directories that it
// opens. Both are mended here, between the guest and the functions that it calls.

import type { WasmMemory } from './web-assembly.ts'

/** The functions of `wasi_snapshot_preview1`, as a guest imports them. */
export type WasiFunctions = Record<string, (...values: never[]) => unknown>

type WasiCall = (...values: (number | bigint)[]) => unknown

const SUCCESS = 0
const NOT_PERMITTED = 63
const READ_ONLY = 69

const OPEN_CREATE = 1
const OPEN_TRUNCATE = 8
const RIGHT_WRITE = 1n << 6n
/** Every right that changes a file or a directory, and FD_DATASYNC, for which WASI opens a file for writing. */
const CHANGING_RIGHTS: bigint = [0, 6, 8, 9, 10, 11, 12, 16, 17, 19, 20, 22, 23, 24, 25, 26].reduce(
  (rights, bit) => rights | (1n << BigInt(bit)),
  0n,
)

/** Which arguments of a call are directories that it changes. */
const CHANGED_DIRECTORIES: Readonly<Record<string, readonly number[]>> = {
  path_create_directory: [0],
  path_filestat_set_times: [0],
  path_link: [0, 4],
  path_remove_directory: [0],
  path_rename: [0, 3],
  path_unlink_file: [0],
}

/**
 * Wraps the functions of WASI: nothing below a read-only directory can be changed, and no symbolic link can
 * be made anywhere. `memory` answers with the guest's memory once it is there.
 */
export function guardMounts(
  functions: WasiFunctions,
  readOnlyFds: ReadonlySet<number>,
  memory: () => WasmMemory,
): WasiFunctions {
  const readOnly = new Set(readOnlyFds)
  const call = (name: string, values: (number | bigint)[]): unknown =>
    (functions[name] as WasiCall)(...values)
  const guarded: Record<string, WasiCall> = {}
  for (const [name, fds] of Object.entries(CHANGED_DIRECTORIES)) {
    guarded[name] = (...values) =>
      fds.some((at) => readOnly.has(Number(values[at]))) ? READ_ONLY : call(name, values)
  }
  guarded['path_symlink'] = () => NOT_PERMITTED
  guarded['path_open'] = (...values) => {
    const [fd, dirFlags, path, pathLength, openFlags, base, inheriting, fdFlags, result] = values
    if (!readOnly.has(Number(fd))) return call('path_open', values)
    const changes = (Number(openFlags) & (OPEN_CREATE | OPEN_TRUNCATE)) !== 0
    if (changes || (BigInt(base ?? 0) & RIGHT_WRITE) !== 0n) return READ_ONLY
    const fewer = [base, inheriting].map(
      (rights) => BigInt.asUintN(64, BigInt(rights ?? 0)) & ~CHANGING_RIGHTS,
    )
    const answer = call('path_open', [
      ...[fd, dirFlags, path, pathLength, openFlags].map(Number),
      ...fewer,
      ...[fdFlags, result].map(Number),
    ])
    if (answer === SUCCESS) readOnly.add(new DataView(memory().buffer).getUint32(Number(result) >>> 0, true))
    return answer
  }
  guarded['fd_close'] = (...values) => {
    const answer = call('fd_close', values)
    if (answer === SUCCESS) readOnly.delete(Number(values[0]))
    return answer
  }
  guarded['fd_renumber'] = (...values) => {
    const [from, to] = values.map(Number)
    const answer = call('fd_renumber', values)
    if (answer !== SUCCESS || from === undefined || to === undefined) return answer
    if (readOnly.delete(from)) readOnly.add(to)
    else readOnly.delete(to)
    return answer
  }
  return { ...functions, ...(guarded as WasiFunctions) }
}
