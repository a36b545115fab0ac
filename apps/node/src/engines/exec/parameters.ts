import { z } from 'zod'
import { type Declaration, requiredText, texts } from '../../spec/parameters.ts'

const parameters = z.object({
  /** The name or the path of a program. */
  Command: requiredText('give the name or the path of a program'),
  Arguments: texts,
})

/** What a job may say to the engine. */
export const EXEC: Declaration<z.output<typeof parameters>> = { type: 'exec', parameters }
