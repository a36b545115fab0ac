import type { SpecConfig, Task } from '../spec/job-spec.ts'
import { type UnknownKey, unknownKey } from '../spec/loose-keys.ts'

type NamesByType = ReadonlyMap<string, readonly string[]>

const SOURCE: NamesByType = new Map(
  Object.entries({
    inline: ['URL'],
    local: ['SourcePath', 'ReadWrite'],
    localdirectory: ['SourcePath', 'ReadWrite'],
    urldownload: ['URL'],
  }),
)

const ENGINE: NamesByType = new Map(
  Object.entries({
    exec: ['Command', 'Arguments'],
    noop: ['DurationMs', 'ExitCode', 'FailMessage'],
    wasm: ['EntryModule', 'Entrypoint', 'Parameters', 'ImportModules', 'EnvironmentVariables'],
  }),
)

/** Lists the parameters of a task that its engine and its input sources do not read; those of types that are not known are free. */
export function unknownParameters(task: Task, path: string): UnknownKey[] {
  return [
    ...unread(task.Engine, ENGINE, `${path}.Engine`),
    ...task.InputSources.flatMap(({ Source }, index) =>
      unread(Source, SOURCE, `${path}.InputSources[${index}].Source`),
    ),
  ]
}

function unread({ Type, Params }: SpecConfig, names: NamesByType, path: string): UnknownKey[] {
  const known = names.get(Type.toLowerCase())
  if (known === undefined) return []
  const read = new Set(known.map((name) => name.toLowerCase()))
  return Object.keys(Params)
    .filter((name) => !read.has(name.toLowerCase()))
    .map((name) => unknownKey(`${path}.Params.${name}`, name, known))
}
