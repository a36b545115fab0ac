/** The kind of an engine, an input source or a publisher, with its parameters; Bacalhau's `SpecConfig`. */
export interface SpecConfig {
  readonly Type: string
  readonly Params?: Readonly<Record<string, unknown>> | null | undefined
}

/** One input of a task: where it comes from and at which absolute path the job finds it. */
export interface InputSource {
  readonly Source: SpecConfig
  readonly Alias?: string | null | undefined
  readonly Target?: string | null | undefined
}

/** One output of a task: the directory that the job writes to, and the name of its folder in the results. */
export interface ResultPath {
  readonly Name: string
  readonly Path: string
}

/** The part of a Bacalhau task that an engine needs; fields that are absent or null mean "none". */
export interface TaskSpec {
  readonly Name?: string | null | undefined
  readonly Engine: SpecConfig
  readonly Env?: Readonly<Record<string, string>> | null | undefined
  readonly InputSources?: readonly InputSource[] | null | undefined
  readonly ResultPaths?: readonly ResultPath[] | null | undefined
}
