/** What a command answered, as far as it is compared here. */
interface Listed {
  readonly command: string
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

const COUNTED_TABLES: ReadonlySet<string> = new Set(['jobs', 'executions', 'evaluations'])
const NAMED = /^Warning: .*(?:is damaged|left out)/gm

/**
 * Returns what listings leave out without a word, as sentences: of that which counters can tell the number of, each
 * record that was there before is listed, named as damaged, or missed aloud with exit code 1.
 */
export function droppedRecords(before: readonly Listed[], after: readonly Listed[]): string[] {
  const countsOf = (answers: readonly Listed[]): string | undefined =>
    answers.find(({ command }) => command.startsWith('["counts"'))?.stdout
  // Where a counter is hit too, nothing tells how many there were.
  if (countsOf(before) !== countsOf(after)) return []
  return after.flatMap((answer, index) => {
    const sound = before[index]
    if (sound === undefined || answer.status !== 0) return []
    const there = namesOf(answer)
    const dropped = [...(namesOf(sound) ?? [])].filter((name) => there?.has(name) === false)
    const named = answer.stderr.match(NAMED)?.length ?? 0
    return dropped.length <= named
      ? []
      : [`${answer.command} leaves out ${dropped.join(', ')} and says ${answer.stderr || 'nothing'}`]
  })
}

/** The records of a listing; `null` for a command that lists nothing that is counted. */
function namesOf({ command, stdout }: Listed): ReadonlySet<string> | null {
  const [verb = '', , ...options] = JSON.parse(command) as readonly string[]
  if (verb === 'export') {
    const rows = stdout
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line) as ExportedRow)
    const counted = rows.filter(({ table }) => COUNTED_TABLES.has(table))
    return new Set(counted.map(({ table, key }) => `${table} ${key}`))
  }
  const filters = options.filter((option) => option.startsWith('--') && !UNFILTERED.has(option))
  if (!COUNTED_TABLES.has(verb) || filters.length > 0) return null
  return new Set((JSON.parse(stdout) as readonly { readonly id: string }[]).map(({ id }) => id))
}

interface ExportedRow {
  readonly table: string
  readonly key: string
}

const UNFILTERED: ReadonlySet<string> = new Set(['--all', '--output', '--state=Running'])
