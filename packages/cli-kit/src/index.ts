export { addCommand, type CommandHelp, examplesOf } from './command/command.ts'
export {
  collectWords,
  durationMs,
  labelsOption,
  outputOption,
  positiveNumber,
  sizeBytes,
  wholeNumber,
  wordsOption,
} from './command/options.ts'
export { createProgram, type ProgramHelp, type RunOptions, runProgram } from './command/program.ts'
export type { Candidates, CandidatesOf, CompletionOptions, Question } from './completion/candidates.ts'
export { addCompletionCommand } from './completion/completion-command.ts'
export { countOf } from './display/count.ts'
export { formatCsvLine } from './display/csv.ts'
export { oneLine } from './display/one-line.ts'
export type { TextStyle } from './display/paint.ts'
export { paint } from './display/paint.ts'
export { indented, printable, printableLines, printableOutput } from './display/printable.ts'
export { shellWord } from './display/shell-word.ts'
export { shortId } from './display/short-id.ts'
export { bytesText } from './display/size.ts'
export { stateStyle } from './display/state-style.ts'
export { formatTable, type StyledCell } from './display/table.ts'
export { localTime, span } from './display/time.ts'
export { complain } from './ending/complaint.ts'
export { COMMON_EXIT } from './ending/exit-code.ts'
export { Failure, isFailure } from './ending/failure.ts'
export { DOCUMENT_FORMATS, FORMATS, type Format, json } from './print/format.ts'
export {
  type PlannedRecoveries,
  type PlannedRecovery,
  RecoveryPrinter,
  type RecoveryPrinterOptions,
} from './print/recovery-printer.ts'
export { type Column, type ListOptions, printList, RowPrinter } from './print/row-printer.ts'
export { printValue, printValues, printWhole } from './print/value.ts'
export { Progress } from './terminal/progress.ts'
export { processTerminal, type Terminal, type TerminalOptions } from './terminal/terminal.ts'
