import type { Origin } from './origin.ts'
import type { Problem } from './problem.ts'
import type { PickValue, Setting } from './setting.ts'
import { api } from './settings/api.ts'
import { archive } from './settings/archive.ts'
import { compute } from './settings/compute.ts'
import { engines } from './settings/engines.ts'
import { link } from './settings/link.ts'
import { node } from './settings/node.ts'
import { quota } from './settings/quota.ts'
import { recovery } from './settings/recovery.ts'
import { services } from './settings/services.ts'
import { stores } from './settings/stores.ts'
import { tls, tlsModeOf } from './settings/tls.ts'

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
  about: [stores.executionStore.path, stores.jobStore.path, stores.executionStore.type, stores.jobStore.type],
  check(pick, originOf) {
    const path = pick(stores.executionStore.path)
    if (path === undefined || path !== pick(stores.jobStore.path)) return undefined
    if (pick(stores.executionStore.type) === 'memory' || pick(stores.jobStore.type) === 'memory')
      return undefined
    return {
      severity: 'error',
      origin: originOf(stores.executionStore.path),
      key: stores.executionStore.path.key,
      problem: `'${path}' is the path of ${stores.jobStore.path.key} too`,
      hint: 'give each store a file of its own',
    }
  },
}

const storePathIsNoRepository = (setting: typeof stores.jobStore.path): Rule => ({
  name: `store-path-is-no-repository: ${setting.key}`,
  about: [setting, node.dataDir],
  check(pick, originOf) {
    const path = pick(setting)
    if (path === undefined || path !== pick(node.dataDir)) return undefined
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
  about: [archive.directory, node.dataDir],
  check(pick, originOf) {
    const path = pick(archive.directory)
    if (path === undefined || path !== pick(node.dataDir)) return undefined
    return {
      severity: 'error',
      origin: originOf(archive.directory),
      key: archive.directory.key,
      problem: `'${path}' is the repository directory itself`,
      hint: 'name a directory in it, or elsewhere',
    }
  },
}

const specFitsBody: Rule = {
  name: 'specification-fits-body',
  about: [quota.specBytes, api.maxBodyBytes],
  check(pick, originOf) {
    if (pick(quota.specBytes) <= pick(api.maxBodyBytes)) return undefined
    return {
      severity: 'error',
      origin: originOf(quota.specBytes),
      key: quota.specBytes.key,
      problem: `is larger than ${api.maxBodyBytes.key}, so that such a specification never arrives`,
      hint: `lower it, or raise ${api.maxBodyBytes.key}`,
    }
  },
}

/** A first wait must not be longer than the longest. */
function waitsInOrder(name: string, first: Setting<number>, longest: Setting<number>): Rule {
  return {
    name,
    about: [first, longest],
    check(pick, originOf) {
      if (pick(first) <= pick(longest)) return undefined
      return {
        severity: 'error',
        origin: originOf(first),
        key: first.key,
        problem: `is longer than ${longest.key}`,
        hint: 'lower it, or raise the other',
      }
    },
  }
}

const execNeedsCompute: Rule = {
  name: 'exec-needs-compute',
  about: [engines.exec.allow, node.roles],
  check(pick, originOf) {
    if (!pick(engines.exec.allow) || pick(node.roles).includes('compute')) return undefined
    return {
      severity: 'warning',
      origin: originOf(engines.exec.allow),
      key: engines.exec.allow.key,
      problem: 'has no effect on a node that runs no jobs',
      hint: `add compute to ${node.roles.key}, or leave it out`,
    }
  },
}

const isLoopbackAddress = (address: string): boolean =>
  /^(?:unix:|https?:\/\/(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)(?::|\/|$))/i.test(address)

const orchestratorsAreNear: Rule = {
  name: 'orchestrators-are-near',
  about: [compute.orchestrators, node.insecure],
  check(pick, originOf) {
    const far = pick(compute.orchestrators).find(
      (address) => !isLoopbackAddress(address) && !address.startsWith('https:'),
    )
    if (far === undefined || pick(node.insecure)) return undefined
    return {
      severity: 'error',
      origin: originOf(compute.orchestrators),
      key: compute.orchestrators.key,
      problem: `'${far}' is on another machine, and what is said on the way there is neither encrypted nor proven`,
      hint: 'write https:// and start the requester with --tls auto, or lead a tunnel to it and name its end on this machine, or allow it with --insecure, on the requester too',
    }
  },
}

const orchestratorsNeedCompute: Rule = {
  name: 'orchestrators-need-compute-alone',
  about: [compute.orchestrators, node.roles],
  check(pick, originOf) {
    if (pick(compute.orchestrators).length === 0 || !pick(node.roles).includes('requester')) return undefined
    return {
      severity: 'warning',
      origin: originOf(compute.orchestrators),
      key: compute.orchestrators.key,
      problem: 'has no effect on a node that is its own requester',
      hint: 'let it be a compute node alone with --node-type compute, or leave it out',
    }
  },
}

/** What is proven on one way must not be said on another that proves nothing. */
const orchestratorsAreAlike: Rule = {
  name: 'orchestrators-are-alike',
  about: [compute.orchestrators],
  check(pick, originOf) {
    const addresses = pick(compute.orchestrators)
    const plain = addresses.find((address) => address.startsWith('http:'))
    if (plain === undefined || !addresses.some((address) => address.startsWith('https:'))) return undefined
    return {
      severity: 'error',
      origin: originOf(compute.orchestrators),
      key: compute.orchestrators.key,
      problem: `'${plain}' is not encrypted, and other ways to the same requester are`,
      hint: 'name all of them with https://, or with unix:/PATH on the machine of the requester',
    }
  },
}

const tlsFilesFit: Rule = {
  name: 'tls-files-fit',
  about: [tls.mode, tls.certFile, tls.keyFile],
  check(pick, originOf) {
    const mode = tlsModeOf({ mode: pick(tls.mode), certFile: pick(tls.certFile) })
    const refuse = (at: { readonly key: string }, problem: string, hint: string): RuleFinding => ({
      severity: 'error',
      origin: originOf(at),
      key: at.key,
      problem,
      hint,
    })
    const [cert, key] = [pick(tls.certFile), pick(tls.keyFile)]
    if (mode === 'auto' && cert !== undefined)
      return refuse(
        tls.certFile,
        `is given, and ${tls.mode.key} is auto`,
        'leave one of the two out: auto makes certificates of its own',
      )
    if (mode === 'file' && (cert === undefined || key === undefined))
      return refuse(
        cert === undefined ? tls.mode : tls.certFile,
        'needs a certificate and its key',
        `give both: ${tls.certFile.key} (--tls-cert) and ${tls.keyFile.key} (--tls-key)`,
      )
    if (cert === undefined && key !== undefined)
      return refuse(
        tls.keyFile,
        'is given without its certificate',
        `give ${tls.certFile.key} (--tls-cert) too`,
      )
    return undefined
  },
}

/** Every rule, in the order in which findings are reported. */
export const RULES: readonly Rule[] = [
  storePathsDiffer,
  storePathIsNoRepository(stores.executionStore.path),
  storePathIsNoRepository(stores.jobStore.path),
  archiveIsNoRepository,
  specFitsBody,
  waitsInOrder('backoff-in-order', recovery.interruptions.backoffMs, recovery.interruptions.maxBackoffMs),
  waitsInOrder('delays-in-order', services.reschedule.delayMs, services.reschedule.maxDelayMs),
  waitsInOrder('silent-before-lost', link.silentAfterMs, link.lostAfterMs),
  execNeedsCompute,
  orchestratorsAreNear,
  orchestratorsAreAlike,
  tlsFilesFit,
  orchestratorsNeedCompute,
]
