import { formatOrigin, type Origin } from './origin.ts'

/** Something wrong, or worth saying, about what was given. */
export interface Problem {
  /** Where the value was given. */
  readonly origin: Origin
  /** The setting that was meant, as the config file names it; absent where it is about a whole file or flag. */
  readonly key?: string
  /** What is wrong, without a full stop. */
  readonly problem: string
  /** What to do next, without a full stop. */
  readonly hint: string
}

/** What is wrong with a value, and what to do next. */
export type Complaint = Pick<Problem, 'problem' | 'hint'>

/** Writes a problem as one line: `where: Key: problem; what to do`. Control characters are escaped. */
export function formatProblem(problem: Problem): string {
  const where = problem.origin.kind === 'default' ? [] : [formatOrigin(problem.origin)]
  const key = problem.key === undefined ? [] : [problem.key]
  return oneLine([...where, ...key, `${problem.problem}; ${problem.hint}`].join(': '))
}

/** Shows a value that somebody gave, quoted, on one line and shortened to about sixty characters. */
export function showGiven(given: unknown): string {
  if (typeof given === 'string') return `'${shorten(oneLine(given))}'`
  if (given === undefined) return 'nothing'
  if (Array.isArray(given)) return given.length === 0 ? 'an empty list' : 'a list'
  if (typeof given === 'object' && given !== null) return 'a mapping'
  return shorten(String(given))
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** Escapes control characters and line separators, so that foreign text stays on one line. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
