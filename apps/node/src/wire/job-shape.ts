import type { KeyShape } from './loose-keys.ts'

const SPEC_CONFIG: KeyShape = { Type: null, Params: null }

const TASK: KeyShape = {
  Name: null,
  Engine: SPEC_CONFIG,
  Publisher: SPEC_CONFIG,
  Env: null,
  Meta: null,
  InputSources: [{ Source: SPEC_CONFIG, Alias: null, Target: null }],
  ResultPaths: [{ Name: null, Path: null }],
  Resources: { CPU: null, Memory: null, Disk: null, GPU: null },
  Network: {
    Type: null,
    Domains: null,
    Ports: [{ Name: null, Static: null, Target: null, HostNetwork: null }],
  },
  Timeouts: { ExecutionTimeout: null, QueueTimeout: null, TotalTimeout: null },
}

/** The keys of a job as clients send it. */
const JOB_KEYS: KeyShape = {
  ID: null,
  Name: null,
  Namespace: null,
  Type: null,
  Priority: null,
  Count: null,
  Constraints: [{ Key: null, Operator: null, Values: null }],
  Meta: null,
  Labels: null,
  Tasks: [TASK],
  State: { StateType: null, Message: null, Details: null },
  Version: null,
  Revision: null,
  CreateTime: null,
  ModifyTime: null,
}

/** The keys of the envelope around a job. */
export const SUBMIT_KEYS: KeyShape = { Namespace: null, IdempotencyToken: null, Job: JOB_KEYS, Force: null }
