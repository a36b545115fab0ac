import type { Setting } from '../setting.ts'
import { amount, integer, keyed, size, text } from '../value.ts'

/** What people may call a node by. */
export const nodeLabels: Setting<Record<string, string>> = {
  key: 'Node.Labels',
  description: 'Labels of this node, which jobs can ask for.',
  form: 'rules',
  fallback: {},
  schema: keyed(
    /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/,
    text(
      'a label value',
      'use at most 63 letters, digits, dots, - and _',
      /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/,
    ),
  ),
}

/** How many executions may run at a time. */
export const maxRunning: Setting<number | undefined> = {
  key: 'Node.Compute.MaxRunning',
  description:
    'The most executions that run at a time on this node, whatever they reserve; what they reserve bounds them first.',
  form: 'integer',
  fallback: undefined,
  fallbackNote: '1,000, or fewer where few files may be open',
  schema: integer(1, 10_000),
}

/** The processor cores that executions may reserve. */
export const capacityCpu: Setting<number | undefined> = {
  key: 'Node.Compute.Capacity.CPU',
  description: 'The processor cores that all executions together may reserve; fractions are allowed.',
  form: 'number',
  fallback: undefined,
  fallbackNote: 'all that the machine has',
  schema: amount(0.001, 100_000),
}

/** The memory that executions may reserve. */
export const capacityMemory: Setting<number | undefined> = {
  key: 'Node.Compute.Capacity.Memory',
  description: 'The memory that all executions together may reserve.',
  form: 'size',
  fallback: undefined,
  fallbackNote: 'four fifths of what the machine has',
  schema: size({ minBytes: 1 }),
}

/** The disk space that executions may reserve. */
export const capacityDisk: Setting<number | undefined> = {
  key: 'Node.Compute.Capacity.Disk',
  description: 'The disk space that all executions together may reserve.',
  form: 'size',
  fallback: undefined,
  fallbackNote: 'what the file system of the repository has free at start',
  schema: size({ minBytes: 1 }),
}

/** The graphics processors that executions may reserve. */
export const capacityGpu: Setting<number> = {
  key: 'Node.Compute.Capacity.GPU',
  description: 'The graphics processors that all executions together may reserve.',
  form: 'integer',
  fallback: 0,
  schema: integer(0, 10_000),
}

/** The memory that is kept free. */
export const leastFreeMemory: Setting<number> = {
  key: 'Node.Compute.LeastFree.Memory',
  description:
    'No run begins while the machine has less memory left than this: below it the kernel takes memory from programs that work, and ends some. 0: begin all the same.',
  form: 'size',
  fallback: '256MiB',
  schema: size(),
}

/** The processes that are kept free. */
export const leastFreeProcesses: Setting<number> = {
  key: 'Node.Compute.LeastFree.Processes',
  description:
    'No run begins while fewer processes and threads than this could still be started on the machine: a program that cannot start one fails. 0: begin all the same.',
  form: 'integer',
  fallback: 512,
  schema: integer(0, 1_000_000_000),
}

/** The open files that are kept free. */
export const leastFreeFiles: Setting<number> = {
  key: 'Node.Compute.LeastFree.Files',
  description:
    'No run begins while fewer files than this could still be opened on the machine, by all programs together. 0: begin all the same.',
  form: 'integer',
  fallback: 1_024,
  schema: integer(0, 1_000_000_000),
}
