import { z } from 'zod'
import { type Declaration, optionalInteger, optionalText } from '../../spec/parameters.ts'
import { LONGEST_TIMER_MS } from '../../waiting/pause.ts'

const parameters = z.object({
  DurationMs: optionalInteger(0, LONGEST_TIMER_MS),
  ExitCode: optionalInteger(0, 255),
  FailMessage: optionalText,
})

/** The parameters of the engine that waits. */
export type NoopParameters = z.output<typeof parameters>

/** What a job may say to the engine. */
export const NOOP: Declaration<NoopParameters> = { type: 'noop', parameters }
