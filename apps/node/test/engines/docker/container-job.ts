import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { WireExecution, WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { eventually } from '../../../../../test/eventually.ts'
import { IS_LONG } from '../../../../../test/seed.ts'
import { fileFlags, startTestNode, type TestNode } from '../../node-fixture.ts'
import type { ContainerServer } from './container-server.ts'

/** A long run has a container write a gigabyte, beside whatever else there is. */
const ENDS_WITHIN_MS = IS_LONG ? 600_000 : 60_000
const ENDED: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Stopped'])

/** A job of one container. */
export function containerJob(params: object, task: object = {}, job: object = {}): object {
  return {
    Type: 'batch',
    Count: 1,
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'docker', Params: { Image: 'busybox:1', ...params } },
        Network: { Type: 'None' },
        ...task,
      },
    ],
    ...job,
  }
}

/** The parameters of a container that runs a script. */
export function script(text: string): object {
  return { Entrypoint: ['sh', '-c'], Parameters: [text] }
}

/** How a job of one container ended. */
export interface EndedContainer {
  readonly id: string
  readonly answer: WireGetJobAnswer
  readonly execution: WireExecution
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
  /** Where its results lie. */
  readonly results: string
}

/** A node that runs containers, and what a job came to. */
export interface ContainerNode extends TestNode {
  run(params: object, task?: object, job?: object): Promise<EndedContainer>
}

/** Starts a node whose containers a server runs. */
export async function containerNode(
  { socket }: Pick<ContainerServer, 'socket'>,
  config: object = {},
): Promise<ContainerNode> {
  const node = await startTestNode(fileFlags({ ...config, Engines: { Docker: { Socket: socket } } }))
  return {
    ...node,
    async run(params, task, job) {
      const id = await node.submit(containerJob(params, task, job))
      const look = async (): Promise<WireGetJobAnswer | undefined> => {
        const path = `/api/v1/orchestrator/jobs/${id}?include=executions,history`
        const { body } = await node.request<WireGetJobAnswer>('GET', path)
        return ENDED.has(body.Job.State.StateType) ? body : undefined
      }
      const answer = await eventually(`job ${id} ends`, look, ENDS_WITHIN_MS)
      const [execution] = answer.Executions?.Items ?? []
      if (execution === undefined) throw new Error(`it has no execution: ${JSON.stringify(answer.History)}`)
      const { Stdout = '', stderr = '', ExitCode = Number.NaN } = execution.RunOutput ?? {}
      const results = join(node.directory, 'n-test-compute', 'results', execution.ID)
      return { id, answer, execution, stdout: Stdout, stderr, exitCode: ExitCode, results }
    },
  }
}

/** The tasks' part of a job that keeps what is written to `/outputs`. */
export const KEEPS_OUTPUTS: object = {
  Publisher: { Type: 'local' },
  ResultPaths: [{ Name: 'outputs', Path: '/outputs' }],
}

/** Lists what a job left in `/outputs`, sorted. Throws with what happened to it where that is not there. */
export function outputsOf({ results, answer }: EndedContainer): readonly string[] {
  try {
    return readdirSync(join(results, 'outputs'), { recursive: true }).map(String).sort()
  } catch (error) {
    throw new Error(JSON.stringify(answer.History?.Items.map(({ Comment }) => Comment)), { cause: error })
  }
}
