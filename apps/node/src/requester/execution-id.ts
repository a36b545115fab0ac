import { randomUUID } from 'node:crypto'

/** Makes the id of an execution. A command names the execution that is created with it, so its id is made beforehand. */
export function newExecutionId(): string {
  return `e-${randomUUID()}`
}
