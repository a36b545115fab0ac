import { isStoreError } from '@saltcod/store-core'

/** Turns "there is no such record" into `undefined`. */
export async function orNothing<T>(search: Promise<T>): Promise<T | undefined> {
  try {
    return await search
  } catch (error) {
    if (isStoreError(error, 'JOB_NOT_FOUND', 'EXECUTION_NOT_FOUND', 'EVALUATION_NOT_FOUND')) return undefined
    throw error
  }
}
