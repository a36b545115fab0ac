import type { Publisher } from '../publisher.ts'
import { publishResults } from './publish-results.ts'

/** Publishes on the node itself. */
export const localPublisher: Publisher = {
  publish: publishResults,
  resultOf: ({ nodeId, executionId }, { files, bytes }) => ({
    Type: 'local',
    Params: { NodeID: nodeId, ExecutionID: executionId, Files: files, Bytes: bytes },
  }),
}
