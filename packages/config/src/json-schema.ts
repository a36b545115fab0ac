import { z } from 'zod'
import type { AnySetting } from './setting.ts'
import { SETTINGS } from './settings.ts'

/** A JSON schema, as plain data. */
export interface JsonSchema {
  [keyword: string]: unknown
}

/** Returns the JSON schema (draft 2020-12) of the config file, for editors and other checkers. */
export function configSchema(): JsonSchema {
  const root = section()
  for (const setting of SETTINGS) {
    const names = setting.key.split('.')
    let parent = root
    for (const name of names.slice(0, -1)) {
      const child = parent.properties[name] ?? section()
      parent.properties[name] = child
      parent = child as Section
    }
    parent.properties[names.at(-1) ?? ''] = describe(setting)
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The configuration of a Saltcod node',
    ...root,
  }
}

interface Section extends JsonSchema {
  readonly properties: Record<string, JsonSchema>
}

// A key with nothing after it counts as not given.
function section(): Section {
  return { type: ['object', 'null'], properties: {}, additionalProperties: false }
}

function describe(setting: AnySetting): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(setting.schema, { io: 'input' }) as JsonSchema
  return {
    description: setting.description,
    ...(setting.fallback === undefined ? {} : { default: setting.fallback }),
    anyOf: [schema, { type: 'null' }],
  }
}
