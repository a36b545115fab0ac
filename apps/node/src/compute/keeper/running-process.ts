/**
 * A process that can be recognised again after the node itself was restarted: a pid alone is reused, the
 * start time and the boot id tell whether it still names the same process.
 */
export interface RunningProcess {
  readonly pid: number
  /** Field 22 of `/proc/PID/stat`, in clock ticks since boot. */
  readonly startTime: string
  /** The process group (and session) that the process leads. */
  readonly pgid: number
  readonly bootId: string
}
