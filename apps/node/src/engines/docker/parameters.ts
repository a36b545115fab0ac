import { z } from 'zod'
import { type Declaration, optionalText, requiredText, texts } from '../../spec/parameters.ts'

const VARIABLE = /^[^=\0]+=[^\0]*$/s

const variables = z
  .array(
    z
      .string()
      .regex(VARIABLE, 'must be NAME=VALUE')
      .refine((text) => !text.startsWith('BACALHAU_'), 'must not begin with BACALHAU_, which the node sets'),
    { error: 'must be a list of texts' },
  )
  .nullish()
  .transform((given): readonly string[] => given ?? [])

const parameters = z.object({
  /** The name of an image, with a tag or a digest where it matters. */
  Image: requiredText('give the name of an image, such as ubuntu:24.04'),
  /** In place of the image's own; empty for that. */
  Entrypoint: texts,
  /** In place of the image's own command; empty for that. */
  Parameters: texts,
  EnvironmentVariables: variables,
  /** In place of the image's own; empty for that. */
  WorkingDirectory: optionalText
    .transform((path) => path ?? '')
    .refine((path) => path === '' || path.startsWith('/'), 'must be an absolute path'),
})

/** The parameters of the engine for containers. */
export type DockerParameters = z.output<typeof parameters>

/** What a job may say to the engine. */
export const DOCKER: Declaration<DockerParameters> = { type: 'docker', parameters }
