import { newId } from '@saltcod/store-core'

/** Makes the id of an execution. A command names the execution that is created with it, so its id is made beforehand. */
export function newExecutionId(): string {
  return newId('e')
}
