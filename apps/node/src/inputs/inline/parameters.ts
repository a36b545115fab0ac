import { z } from 'zod'
import { type Declaration, requiredText } from '../../spec/parameters.ts'

const parameters = z.object({
  URL: requiredText('give a URL that begins with "data:"').regex(/^data:/i, 'must begin with "data:"'),
})

/** The parameters of the source. */
export type InlineParameters = z.output<typeof parameters>

/** What a job may say to the source. */
export const INLINE: Declaration<InlineParameters> = { type: 'inline', parameters }
