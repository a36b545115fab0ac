import type { Setting } from './setting.ts'
import * as api from './settings/api.ts'
import * as archive from './settings/archive.ts'
import * as capacity from './settings/capacity.ts'
import * as engines from './settings/engines.ts'
import * as fold from './settings/fold.ts'
import * as limits from './settings/limits.ts'
import * as node from './settings/node.ts'
import * as recovery from './settings/recovery.ts'
import * as retention from './settings/retention.ts'
import * as rewrite from './settings/rewrite.ts'
import * as stores from './settings/stores.ts'

/** How one of the two stores is configured. */
export interface StoreConfig {
  readonly type: stores.StoreType
  /** The absolute path of the file; absent means the default, which depends on the node id. */
  readonly path: string | undefined
}

/** What a restart does with interrupted work. */
export interface RecoveryConfig {
  readonly preset: recovery.RecoveryPreset
  /** The cells of the table that differ from the preset. */
  readonly cells: recovery.RecoveryCells
  /** Asked before the table, in order. */
  readonly ageRules: readonly recovery.RecoveryAgeRule[]
  /** How long a kept execution may wait before it is failed. */
  readonly keepForMs: number
  readonly interruptions: {
    /** How often restarts may interrupt a job before it fails. */
    readonly limit: number
    /** How many interruptions in a row are answered at once. */
    readonly immediate: number
    /** The first wait; it doubles. */
    readonly backoffMs: number
    readonly maxBackoffMs: number
  }
}

/** When a store file is rewritten, so that its dead space goes back to the disk. */
export interface RewriteConfig {
  readonly atStart: boolean
  /** How often a running node looks; 0 for never. */
  readonly everyMs: number
  /** The share of dead space above which a store is rewritten, from 0 to 1. */
  readonly deadShare: number
  /** The dead space below which it is not. */
  readonly minBytes: number
}

/** The whole configuration of a node. Paths are absolute; a time limit or store quota of 0 means that there is none. */
export interface Config {
  /** The repository directory. */
  readonly dataDir: string
  /** The id that was given; absent means the one that the repository keeps. */
  readonly nodeId: string | undefined
  /** At least one role, each once. */
  readonly roles: readonly node.NodeRole[]
  readonly labels: Readonly<Record<string, string>>
  readonly compute: {
    /** The most executions that run at a time; absent means what suits the machine. */
    readonly maxRunning: number | undefined
    /** What all executions together may reserve; absent means what suits the machine. */
    readonly capacity: {
      readonly cpu: number | undefined
      readonly memoryBytes: number | undefined
      readonly diskBytes: number | undefined
      readonly gpu: number
    }
    /** What the machine must have left where a run is to begin; 0 asks for nothing. */
    readonly leastFree: {
      readonly memoryBytes: number
      readonly processes: number
      readonly files: number
    }
  }
  readonly executionStore: StoreConfig
  readonly jobStore: StoreConfig
  readonly api: { readonly host: string; readonly port: number; readonly maxBodyBytes: number }
  readonly logging: { readonly level: api.LogLevel; readonly format: api.LogFormat }
  readonly recovery: RecoveryConfig
  readonly retention: readonly retention.RetentionRule[]
  readonly archive: {
    /** The absolute path of the directory; absent means that nothing is archived. */
    readonly directory: string | undefined
  }
  readonly compaction: {
    /** How long after their end records are folded, in milliseconds; `null` for never. */
    readonly foldAfterMs: number | null
    readonly rewrite: RewriteConfig
  }
  readonly quota: {
    readonly storeBytes: number
    readonly specBytes: number
    readonly resultBytes: number
    readonly outputBytes: number
  }
  readonly leases: {
    readonly durationMs: number
    readonly maxAttempts: number
    /** The waits between attempts; the last one repeats. */
    readonly retryDelaysMs: readonly number[]
  }
  readonly gracePeriodMs: number
  readonly engines: {
    readonly exec: {
      readonly allow: boolean
      /** True: each job has a PID namespace of its own where there is one to have. */
      readonly isolate: boolean
      /** True: in a namespace that no job had before; false: those of one namespace follow each other in one. */
      readonly freshNamespace: boolean
      readonly timeLimitMs: number
    }
    readonly wasm: {
      readonly memoryLimitBytes: number
      readonly timeLimitMs: number
      /** True: each module has a process of its own; false: those of one namespace follow each other in one. */
      readonly freshProcess: boolean
    }
  }
  readonly inputs: {
    readonly allowedPaths: readonly string[]
    readonly allowedHosts: readonly string[]
    readonly maxBytes: number
  }
  readonly results: {
    /** The absolute path of the directory; absent means the default, which depends on the node id. */
    readonly path: string | undefined
  }
}

/** Looks up the value of a setting. */
export type PickValue = <Value>(setting: Setting<Value>) => Value

/** Puts the configuration together from the values of all settings. */
export function buildConfig(pick: PickValue): Config {
  return {
    dataDir: pick(node.dataDir),
    nodeId: pick(node.nodeId),
    roles: node.NODE_ROLES.filter((role) => pick(node.nodeType).includes(role)),
    labels: pick(capacity.nodeLabels),
    compute: {
      maxRunning: pick(capacity.maxRunning),
      capacity: {
        cpu: pick(capacity.capacityCpu),
        memoryBytes: pick(capacity.capacityMemory),
        diskBytes: pick(capacity.capacityDisk),
        gpu: pick(capacity.capacityGpu),
      },
      leastFree: {
        memoryBytes: pick(capacity.leastFreeMemory),
        processes: pick(capacity.leastFreeProcesses),
        files: pick(capacity.leastFreeFiles),
      },
    },
    executionStore: { type: pick(stores.executionStoreType), path: pick(stores.executionStorePath) },
    jobStore: { type: pick(stores.jobStoreType), path: pick(stores.jobStorePath) },
    api: {
      host: pick(api.apiHost),
      port: pick(api.apiPort),
      maxBodyBytes: pick(api.apiMaxBodySize),
    },
    logging: { level: pick(api.loggingLevel), format: pick(api.loggingFormat) },
    recovery: buildRecovery(pick),
    retention: pick(retention.retention),
    archive: { directory: pick(archive.archiveDirectory) },
    compaction: {
      foldAfterMs: orNull(pick(fold.foldAfter)),
      rewrite: {
        atStart: pick(rewrite.rewriteAtStart),
        everyMs: pick(rewrite.rewriteEvery),
        deadShare: pick(rewrite.rewriteDeadShare),
        minBytes: pick(rewrite.rewriteMinSize),
      },
    },
    quota: {
      storeBytes: pick(limits.quotaStoreSize),
      specBytes: pick(limits.quotaSpecSize),
      resultBytes: pick(limits.quotaResultSize),
      outputBytes: pick(limits.quotaOutputSize),
    },
    leases: {
      durationMs: pick(limits.leaseDuration),
      maxAttempts: pick(limits.leaseMaxAttempts),
      retryDelaysMs: pick(limits.leaseRetryDelays),
    },
    gracePeriodMs: pick(limits.gracePeriod),
    engines: {
      exec: {
        allow: pick(engines.allowExec),
        isolate: pick(engines.execIsolate),
        freshNamespace: pick(engines.execFreshNamespace),
        timeLimitMs: pick(engines.execTimeLimit),
      },
      wasm: {
        memoryLimitBytes: pick(engines.wasmMemoryLimit),
        timeLimitMs: pick(engines.wasmTimeLimit),
        freshProcess: pick(engines.wasmFreshProcess),
      },
    },
    inputs: {
      allowedPaths: pick(engines.inputAllowedPaths),
      allowedHosts: pick(engines.inputAllowedHosts),
      maxBytes: pick(engines.inputMaxSize),
    },
    results: {
      path: pick(engines.resultsPath),
    },
  }
}

function orNull(after: fold.FoldAfter): number | null {
  return after === 'never' ? null : after
}

function buildRecovery(pick: PickValue): RecoveryConfig {
  return {
    preset: pick(recovery.recoveryPreset),
    cells: pick(recovery.recoveryCells),
    ageRules: pick(recovery.recoveryAgeRules),
    keepForMs: pick(recovery.recoveryKeepFor),
    interruptions: {
      limit: pick(recovery.interruptionLimit),
      immediate: pick(recovery.interruptionImmediate),
      backoffMs: pick(recovery.interruptionBackoff),
      maxBackoffMs: pick(recovery.interruptionMaxBackoff),
    },
  }
}
