/** Who a node of another process has proven to be, before anything that it says is read. */
export interface NodeProof {
  readonly nodeId: string
  /** The hash of the credential that it showed. */
  readonly credentialHash: string
  /** It showed a token too by which nodes join: the credential counts from now on where the node has none yet. */
  readonly joins: boolean
}
