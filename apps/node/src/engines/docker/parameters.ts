import { z } from 'zod'
import { type Declaration, optionalText, requiredText, texts } from '../../spec/parameters.ts'

const LABEL = String.raw`[A-Za-z\d][A-Za-z\d-]*`
/** A registry, told from the first part of a name by a dot or a port. */
const HOST = String.raw`(?:localhost|${LABEL}(?:\.${LABEL})+|${LABEL}(?=:)|\[[\dA-Fa-f:]+\])(?::\d+)?`
const PART = String.raw`[a-z\d]+(?:(?:\.|_{1,2}|-+)[a-z\d]+)*`
const TAG = String.raw`\w[\w.-]{0,127}`
const DIGEST = String.raw`[A-Za-z][A-Za-z\d]*(?:[-_+.][A-Za-z][A-Za-z\d]*)*:[\dA-Fa-f]{32,}`
const IMAGE = new RegExp(`^(?:${HOST}/)?${PART}(?:/${PART})*(?::${TAG})?(?:@${DIGEST})?$`)

const VARIABLE = /^[^=\0]+=[^\0]*$/s

/** Says what is wrong with a name where that is plain. */
function hintFor(name: unknown): string {
  if (typeof name !== 'string') return ''
  if (IMAGE.test(name.toLowerCase())) return '; but for its tag it is written in lower case'
  if (IMAGE.test(name.replace(/\s/g, ''))) return '; there is a blank in it'
  return /^\w+:\/\//.test(name) ? '; it has no :// in front' : ''
}

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
  Image: requiredText('give the name of an image, such as ubuntu:24.04').regex(IMAGE, {
    error: ({ input }) =>
      `is not the name of an image, such as ubuntu:24.04 or ghcr.io/user/image:tag${hintFor(input)}`,
  }),
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
