import { configFlags, configSchema, listConfig, loadConfig } from '@saltcod/config'

/** Returns the keys of all settings. */
export function settingKeys(): readonly string[] {
  // The repository directory has a default only where there is a home.
  return listConfig(loadConfig({ flags: { repo: '/' }, env: {} })).map(({ key }) => key)
}

/** Returns the words that the flag of a setting takes; none where it takes others, or is of no setting. */
export function wordsOfFlag(name: string): readonly string[] {
  const key = configFlags().find(({ flag, aliases }) => flag === name || aliases.includes(name))?.key
  if (key === undefined) return []
  let schema: unknown = configSchema()
  for (const part of key.split('.')) schema = field(field(schema, 'properties'), part)
  return wordsIn(schema)
}

function wordsIn(schema: unknown): readonly string[] {
  const words = field(schema, 'enum')
  if (Array.isArray(words)) return words.filter((word) => typeof word === 'string')
  const choices = field(schema, 'anyOf')
  const inner = [...(Array.isArray(choices) ? choices : []), field(schema, 'items')]
  return inner.filter((value) => value !== undefined).flatMap(wordsIn)
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}
