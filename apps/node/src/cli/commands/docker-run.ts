import type { Terminal } from '@saltcod/cli-kit'
import { inputsOfFlags, type JobFlags, jobOfFlags } from '../flagged-job.ts'
import { type SubmitFlags, submitJob } from './job-run.ts'

/** Options of `docker run`, named as Bacalhau names them. */
export interface DockerRunOptions extends SubmitFlags, JobFlags {
  readonly entrypoint?: readonly string[]
  readonly workdir?: string
}

/** Runs a container of an image, with what stands in place of the image's own command. */
export async function dockerRun(
  terminal: Terminal,
  image: string,
  args: readonly string[],
  options: DockerRunOptions,
): Promise<void> {
  const { entrypoint = [], workdir } = options
  const engine = {
    Type: 'docker',
    Params: {
      Image: image,
      ...(entrypoint.length === 0 ? {} : { Entrypoint: entrypoint }),
      Parameters: args,
      ...(workdir === undefined ? {} : { WorkingDirectory: workdir }),
    },
  }
  await submitJob(terminal, jobOfFlags(engine, inputsOfFlags(options), options), options)
}
