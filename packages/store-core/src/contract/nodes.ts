import type { Json, TextMap } from '../kv/json.ts'
import type { KnownNode, NodeMembership, NodeScheduling, NodeStore } from '../model/node.ts'
import type { Page, PageRequest } from '../model/page.ts'
import type { ChangeRequest } from '../model/request.ts'

/** What a node says of itself when it comes. */
export interface RecordNode extends ChangeRequest {
  /** 1 to 128 letters, digits, `.`, `_` or `-`. */
  readonly id: string
  readonly labels?: TextMap
  readonly engines?: readonly string[]
  readonly details?: Json
  readonly version?: string
  readonly credentialHash?: string | null
  /** `null` where it does not outlast the node's process. Absent: as it was. */
  readonly store?: NodeStore | null
  /** What a node becomes that is not known yet. Default `pending`. */
  readonly membership?: 'pending' | 'approved'
}

/** When a node was last heard of. */
export interface SeenNode {
  readonly id: string
  readonly atMs: number
  /** How far its store had come. */
  readonly sequence?: number
}

/** Which nodes were heard of. */
export interface SeeNodes {
  /** At most 1,000. */
  readonly seen: readonly SeenNode[]
}

/** A change of a node by an operator. */
export interface ChangeNode extends ChangeRequest {
  readonly nodeId: string
  readonly membership?: NodeMembership
  readonly scheduling?: NodeScheduling
  /** When what a drained node still runs is to end. Default: by itself. */
  readonly drainDeadlineAtMs?: number | null
  /** Why; of the membership, the scheduling, or both. */
  readonly message?: string
  /** Labels to give; `null` takes back what was given. */
  readonly labels?: Readonly<Record<string, string | null>>
  readonly expectedRevision?: number
}

/** Which node to delete. */
export interface DeleteNode extends ChangeRequest {
  readonly nodeId: string
  readonly expectedRevision?: number
}

/** Which nodes to list. */
export interface NodeQuery extends PageRequest {
  readonly membership?: NodeMembership
}

/** The nodes that run jobs. */
export interface JobNodes {
  /**
   * Takes a node in, or notes what has changed about one that is known: what an operator decided of it stays. Throws
   * `INVALID_ARGUMENT`.
   */
  recordNode(request: RecordNode): Promise<KnownNode>
  /** Notes that nodes were heard of; those that are not there any more are passed over. Throws `INVALID_ARGUMENT`. */
  seeNodes(request: SeeNodes): Promise<void>
  /**
   * Changes what was decided of a node. Throws `NODE_NOT_FOUND`, `REVISION_CONFLICT`, `STATE_CONFLICT` where it has
   * that membership already, `INVALID_ARGUMENT`.
   */
  changeNode(request: ChangeNode): Promise<KnownNode>
  /**
   * Forgets a node; its executions and what waits to be sent to it stay. Throws `NODE_NOT_FOUND`, `REVISION_CONFLICT`.
   */
  deleteNode(request: DeleteNode): Promise<void>
  /** Returns a node; `null` where there is none. Throws `RECORD_CORRUPT`. */
  getNode(id: string): Promise<KnownNode | null>
  /** Finds a node by its id or the beginning of it. Throws `NODE_NOT_FOUND`, `AMBIGUOUS_ID`. */
  findNode(text: string): Promise<KnownNode>
  /** Lists nodes by their ids, or those of one membership. Throws `INVALID_ARGUMENT`, `INVALID_CURSOR`. */
  listNodes(query?: NodeQuery): Promise<Page<KnownNode>>
}
