import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { type Declaration, requiredText } from '../../spec/parameters.ts'

/** Clients write it as a text too. */
const WORDS = new Set<unknown>([undefined, null, true, false, 'true', 'false', ''])

const parameters = z.object({
  SourcePath: requiredText('give the absolute path of a file or directory').refine(
    (path) => isAbsolute(path),
    'must be an absolute path',
  ),
  ReadWrite: z
    .unknown()
    .optional()
    .refine((given) => given !== true && given !== 'true', 'is not offered: jobs get copies')
    .refine((given) => WORDS.has(given), 'must be true or false'),
  /** What is to be made where nothing is there. */
  CreateAs: z
    .unknown()
    .optional()
    .refine(
      (given) => given === null || given === '' || given === 'noCreate',
      'is not offered: what is not there is not made',
    )
    .optional(),
})

/** The parameters of the source. */
export type LocalParameters = z.output<typeof parameters>

/** What a job may say to the source. */
export const LOCAL: Declaration<LocalParameters> = { type: 'local', parameters }
