import { nearestName } from './did-you-mean.ts'
import type { Problem } from './problem.ts'
import { fromText, type RawValue } from './raw-value.ts'
import type { PathBase } from './setting.ts'
import { SETTINGS } from './settings.ts'

/** Variables by name, in the shape of `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the environment said about the configuration. */
export interface ReadEnvironment {
  readonly given: readonly RawValue[]
  readonly warnings: readonly Problem[]
}

/** Picks the variables of settings out of an environment; an empty one counts as not set. */
export function readEnvironment(env: Environment, base: PathBase): ReadEnvironment {
  const given: RawValue[] = []
  const known: string[] = []
  for (const setting of SETTINGS) {
    const name = setting.environment
    if (name === undefined) continue
    known.push(name)
    const text = env[name]
    if (text === undefined || text === '') continue
    given.push({ setting, raw: fromText(setting, text), origin: { kind: 'environment', name }, base })
  }
  return { given, warnings: misspelt(env, known) }
}

// Bacalhau's own tools read more variables than these, so only a near miss is worth a word.
function misspelt(env: Environment, known: readonly string[]): Problem[] {
  return Object.keys(env).flatMap((name): Problem[] => {
    if (!name.startsWith('BACALHAU_') || known.includes(name)) return []
    const near = nearestName(name, known, 2)
    if (near === undefined) return []
    return [
      {
        origin: { kind: 'environment', name },
        problem: 'no setting reads this variable',
        hint: `did you mean '${near}'?`,
      },
    ]
  })
}
