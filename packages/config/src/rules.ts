import type { PickValue } from './config.ts'
import type { Origin } from './origin.ts'
import type { Problem } from './problem.ts'
import { apiHost, apiMaxBodySize } from './settings/api.ts'
import { archiveDirectory } from './settings/archive.ts'
import { allowExec } from './settings/engines.ts'
import { quotaSpecSize } from './settings/limits.ts'
import { dataDir, nodeType } from './settings/node.ts'
import { interruptionBackoff, interruptionMaxBackoff } from './settings/recovery.ts'
import { executionStorePath, executionStoreType, jobStorePath, jobStoreType } from './settings/stores.ts'

/** What a rule found. */
export interface RuleFinding extends Problem {
  readonly severity: 'error' | 'warning'
}

/** A rule about several settings, or about the sense of one. */
export interface Rule {
  readonly name: string
  /** The settings that it looks at; it is left out while one of them is in error. */
  readonly about: readonly { readonly key: string }[]
  /** Returns what is wrong, or `undefined`. */
  check(pick: PickValue, originOf: (setting: { readonly key: string }) => Origin): RuleFinding | undefined
}

const storePathsDiffer: Rule = {
  name: 'store-paths-differ',
  about: [executionStorePath, jobStorePath, executionStoreType, jobStoreType],
  check(pick, originOf) {
    const path = pick(executionStorePath)
    if (path === undefined || path !== pick(jobStorePath)) return undefined
    if (pick(executionStoreType) === 'memory' || pick(jobStoreType) === 'memory') return undefined
    return {
      severity: 'error',
      origin: originOf(executionStorePath),
      key: executionStorePath.key,
      problem: `'${path}' is the path of ${jobStorePath.key} too`,
      hint: 'give each store a file of its own',
    }
  },
}

const storePathIsNoRepository = (setting: typeof jobStorePath): Rule => ({
  name: `store-path-is-no-repository: ${setting.key}`,
  about: [setting, dataDir],
  check(pick, originOf) {
    const path = pick(setting)
    if (path === undefined || path !== pick(dataDir)) return undefined
    return {
      severity: 'error',
      origin: originOf(setting),
      key: setting.key,
      problem: `'${path}' is the repository directory itself`,
      hint: 'name a file in it',
    }
  },
})

const archiveIsNoRepository: Rule = {
  name: 'archive-is-no-repository',
  about: [archiveDirectory, dataDir],
  check(pick, originOf) {
    const path = pick(archiveDirectory)
    if (path === undefined || path !== pick(dataDir)) return undefined
    return {
      severity: 'error',
      origin: originOf(archiveDirectory),
      key: archiveDirectory.key,
      problem: `'${path}' is the repository directory itself`,
      hint: 'name a directory in it, or elsewhere',
    }
  },
}

const specFitsBody: Rule = {
  name: 'specification-fits-body',
  about: [quotaSpecSize, apiMaxBodySize],
  check(pick, originOf) {
    if (pick(quotaSpecSize) <= pick(apiMaxBodySize)) return undefined
    return {
      severity: 'error',
      origin: originOf(quotaSpecSize),
      key: quotaSpecSize.key,
      problem: `is larger than ${apiMaxBodySize.key}, so that such a specification never arrives`,
      hint: `lower it, or raise ${apiMaxBodySize.key}`,
    }
  },
}

const backoffInOrder: Rule = {
  name: 'backoff-in-order',
  about: [interruptionBackoff, interruptionMaxBackoff],
  check(pick, originOf) {
    if (pick(interruptionBackoff) <= pick(interruptionMaxBackoff)) return undefined
    return {
      severity: 'error',
      origin: originOf(interruptionBackoff),
      key: interruptionBackoff.key,
      problem: `is longer than ${interruptionMaxBackoff.key}`,
      hint: 'lower it, or raise the other',
    }
  },
}

const hostIsLoopback: Rule = {
  name: 'host-is-loopback',
  about: [apiHost],
  check(pick, originOf) {
    const host = pick(apiHost)
    if (/^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i.test(host)) return undefined
    return {
      severity: 'warning',
      origin: originOf(apiHost),
      key: apiHost.key,
      problem: `'${host}' is not this machine alone: whoever reaches the port can run jobs and read results`,
      hint: 'keep to 127.0.0.1, or see to it that only those you trust reach it',
    }
  },
}

const execNeedsCompute: Rule = {
  name: 'exec-needs-compute',
  about: [allowExec, nodeType],
  check(pick, originOf) {
    if (!pick(allowExec) || pick(nodeType).includes('compute')) return undefined
    return {
      severity: 'warning',
      origin: originOf(allowExec),
      key: allowExec.key,
      problem: 'has no effect on a node that runs no jobs',
      hint: `add compute to ${nodeType.key}, or leave it out`,
    }
  },
}

/** Every rule, in the order in which findings are reported. */
export const RULES: readonly Rule[] = [
  storePathsDiffer,
  storePathIsNoRepository(executionStorePath),
  storePathIsNoRepository(jobStorePath),
  archiveIsNoRepository,
  specFitsBody,
  backoffInOrder,
  hostIsLoopback,
  execNeedsCompute,
]
