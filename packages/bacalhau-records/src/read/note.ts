/** What could not be read, or not be kept as it was. */
export interface Note {
  /**
   * `left-out`: the record is not there. `dropped`: a part of it is not. `changed`: a part of it is another.
   * `derived`: the file does not say it, and it was concluded from what it says.
   */
  readonly kind: 'left-out' | 'dropped' | 'changed' | 'derived'
  readonly record: 'job' | 'execution' | 'evaluation' | 'history'
  /** The id of the record; that of its job for an entry of a history. */
  readonly id: string
  /** The buckets and the key that lead to it, such as `jobs/j-1/executions/e-1`. */
  readonly place: string
  /** A stable name of what was found, by which notes are counted. */
  readonly code: NoteCode
  /** What was found, and what was done about it. */
  readonly message: string
}

/** The codes of a {@link Note}. */
export type NoteCode =
  | 'no-json'
  | 'wrong-type'
  | 'unknown-word'
  | 'unknown-state'
  | 'unknown-field'
  | 'field-not-kept'
  | 'wrong-place'
  | 'missing-version'
  | 'history-conclusion'
  | 'state-conclusion'
  | 'name-taken'
  | 'unfinished'
  | 'evaluation-closed'
  | 'refused'
  | 'second-copy'
  | 'damaged-page'
  | 'damaged-file'
  | 'too-large'
  | 'unfit-text'
  | 'unfit-number'

/** Gets each {@link Note}. */
export type Tell = (note: Note) => void

/** Tells what is found in one record. */
export type TellHere = (kind: Note['kind'], code: NoteCode, message: string) => void

/** A record that cannot be read. */
export class UnreadableRecord extends Error {
  override readonly name: string = 'UnreadableRecord'
  readonly code: NoteCode

  constructor(code: NoteCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Tells whether a thrown value is an {@link UnreadableRecord}. */
function isUnreadableRecord(error: unknown): error is UnreadableRecord {
  return error instanceof Error && error.name === 'UnreadableRecord'
}

/** Calls it; a record that cannot be read is told of and `undefined` is returned. */
export function orLeftOut<T>(read: () => T, tell: TellHere): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError) {
      // Whoever walks it needs a stack as deep.
      tell('left-out', 'no-json', 'it is nested too deep; it is left out')
      return undefined
    }
    if (!isUnreadableRecord(error)) throw error
    tell('left-out', error.code, `${error.message}; it is left out`)
    return undefined
  }
}
