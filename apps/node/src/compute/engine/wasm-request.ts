/** One directory that a guest sees. */
export interface GuestMount {
  readonly guestPath: string
  readonly hostPath: string
  readonly writable: boolean
}

/** Everything that the WebAssembly runner needs for one run; a file in the work directory, read once. */
export interface WasmRequest {
  readonly modulePath: string
  readonly entrypoint: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly mounts: readonly GuestMount[]
  /** Files of modules that others import from, by the name they are imported under. */
  readonly imports: Readonly<Record<string, string>>
  readonly memoryBytes: number
}
