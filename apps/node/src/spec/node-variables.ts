import type { InputSource, SpecConfig, Task } from '@saltcod/bacalhau-records'
import type { Json } from '@saltcod/store-core'

/** How a job names a variable of the node that runs it; its value is never part of the job. */
const REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)$/

/** Tells whether a value stands for a variable of the node. */
export function isNodeVariable(value: unknown): boolean {
  return typeof value === 'string' && REFERENCE.test(value)
}

/** Tells whether a value begins as one that stands for a variable, and names none. */
export function isBadNodeVariable(value: string): boolean {
  return value.startsWith('env:') && !REFERENCE.test(value)
}

/** Lists the variables of the node that a task names. */
export function nodeVariablesOf(task: Task): readonly string[] {
  const found = new Set<string>()
  withNodeVariables(task, (name) => {
    found.add(name)
    return ''
  })
  return [...found].sort()
}

/**
 * Returns a task in which every `env:NAME` of its `Env`, and of the parameters of its engine, publisher and inputs, is
 * what `lookUp` gives.
 */
export function withNodeVariables(task: Task, lookUp: (name: string) => string): Task {
  const text = (value: string): string => {
    const name = REFERENCE.exec(value)?.[1]
    return name === undefined ? value : lookUp(name)
  }
  const inside = (value: Json): Json => {
    if (typeof value === 'string') return text(value)
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return (value as readonly Json[]).map(inside)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inside(inner as Json)]))
  }
  const config = (given: SpecConfig): SpecConfig => ({
    ...given,
    Params: inside(given.Params as Json) as SpecConfig['Params'],
  })
  const input = (given: InputSource): InputSource => ({ ...given, Source: config(given.Source) })
  return {
    ...task,
    // Records of earlier releases may lack it.
    Env: Object.fromEntries(Object.entries(task.Env ?? {}).map(([name, value]) => [name, text(value)])),
    Engine: config(task.Engine),
    Publisher: config(task.Publisher),
    InputSources: task.InputSources.map(input),
  }
}
