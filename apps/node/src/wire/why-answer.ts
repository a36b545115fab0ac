/** What one side of the link knows of an execution. */
export interface KnownExecution {
  readonly State: string
  readonly Since: string
  /** For people; empty where nothing was said. */
  readonly Message: string
  readonly EndReason: string | null
  /** How often it was started; absent where only its node knows. */
  readonly Attempt?: number
}

/** How the other side stands to the one that answers. */
export interface WhyLink {
  /** Of a requester: CONNECTED, SILENT, LOST or UNKNOWN; of a compute node as its link says. */
  readonly State: string
  readonly Since: string
  /** Empty where it was not heard of since this process began. */
  readonly LastHeard: string
  /** Why it is not connected; empty where it is, or nobody knows. */
  readonly Reason: string
}

/** An execution as both sides know it. */
export interface WhyExecution {
  readonly ID: string
  readonly JobID: string
  readonly NodeID: string
  /** As whoever answers knows it. */
  readonly Here: KnownExecution
  /** As the other side knows it; null where it has no record, or could not be asked. */
  readonly There: KnownExecution | null
  /** Why the other side could not be asked; empty where it was. */
  readonly NotAsked: string
  /** The revision of the node's own record; null where only the node knows. */
  readonly Revision: number | null
  /** The newest revision of it that the requester has taken; 0 for none, and null where only the requester knows. */
  readonly ReportedRevision: number | null
  /** How many reports of it the requester has not confirmed; null where only the node knows. */
  readonly Unreported: number | null
  /** Since when messages about anything wait to be taken by the other side; empty where none do. */
  readonly WaitingSince: string
  readonly Link: WhyLink
}

/** Why executions are where they are. */
export interface WhyAnswer {
  /** Null where a compute node answers, which has no jobs. */
  readonly Job: {
    readonly ID: string
    readonly Name: string
    readonly State: string
    readonly Since: string
    readonly Message: string
  } | null
  /** Of a job those that have not ended, or else the newest. */
  readonly Executions: readonly WhyExecution[]
}

/** Where a node of either role says why executions are where they are. */
export const WHY_PATH = '/api/v1/saltcod/why'
